/** A token bucket for each address: as many requests a second as given, and at most as many at once. */

/** Addresses remembered; the one that came first is forgotten first. */
const ADDRESSES_MAX = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimit {
  private readonly perSecond: number;
  private readonly now: () => number;
  private readonly buckets = new Map<string, Bucket>();

  constructor(perSecond: number, now: () => number) {
    this.perSecond = perSecond;
    this.now = now;
  }

  /** Takes one token of the address, if there is one. */
  take(address: string): { readonly allowed: boolean; readonly remaining: number } {
    const atMs = this.now();
    const bucket = this.bucketOf(networkOf(address), atMs);
    bucket.tokens = Math.min(
      this.perSecond,
      bucket.tokens + (Math.max(0, atMs - bucket.atMs) / 1000) * this.perSecond,
    );
    bucket.atMs = atMs;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    return { allowed, remaining: Math.floor(bucket.tokens) };
  }

  private bucketOf(network: string, atMs: number): Bucket {
    const known = this.buckets.get(network);
    if (known !== undefined) return known;
    if (this.buckets.size >= ADDRESSES_MAX) this.buckets.delete(this.buckets.keys().next().value!);
    const bucket = { tokens: this.perSecond, atMs };
    this.buckets.set(network, bucket);
    return bucket;
  }
}

/** An IPv6 host can use any address of its /64, so that counts as one. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [left = "", right = ""] = address.split("::");
  const groups = left.split(":").filter((group) => group !== "");
  const rest = right.split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0");
  const full = address.includes("::") ? [...groups, ...zeros, ...rest] : groups;
  return full.slice(0, 4).join(":");
}
