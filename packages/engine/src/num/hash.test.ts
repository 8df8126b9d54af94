import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StateDigest } from "./hash.ts";

function digestOf(fill: (digest: StateDigest) => void): string {
  const digest = new StateDigest();
  fill(digest);
  return digest.hex();
}

describe("StateDigest", () => {
  test("has these values for ever", () => {
    const values = [
      digestOf(() => undefined),
      digestOf((digest) => digest.u32(0)),
      digestOf((digest) => digest.f64(1)),
      digestOf((digest) => digest.text("node-17")),
      digestOf((digest) => digest.bytes(Uint8Array.of(1, 2, 3, 4, 5))),
    ];
    expect(values).toMatchInlineSnapshot(`
      [
        "96d323cbadcf6676",
        "0c13eac0bd16abeb",
        "52276e3607877015",
        "51d842fc6773b3dd",
        "c383a762978807e0",
      ]
    `);
  });

  test("hex shows both words with leading zeros", () => {
    fc.assert(
      fc.property(fc.nat(), (word) => {
        const digest = new StateDigest();
        digest.u32(word);
        const [high, low] = digest.value();
        expect(digest.hex()).toMatch(/^[0-9a-f]{16}$/);
        expect(BigInt(`0x${digest.hex()}`)).toBe((BigInt(high) << 32n) | BigInt(low));
      }),
    );
  });

  test("a single flipped bit of a number changes the digest, wherever it stands", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat(31),
        (words, at, bit) => {
          const place = at % words.length;
          const changed = words.map((word, index) => (index === place ? (word ^ (1 << bit)) >>> 0 : word));
          const hash = (list: number[]) => digestOf((digest) => list.forEach((word) => digest.u32(word)));
          expect(hash(changed)).not.toBe(hash(words));
        },
      ),
    );
  });

  test("about half of the 64 bits change with one bit", () => {
    let changed = 0;
    for (let word = 0; word < 1000; word++) {
      const one = BigInt(`0x${digestOf((digest) => digest.u32(word))}`);
      const other = BigInt(`0x${digestOf((digest) => digest.u32(word ^ 1))}`);
      changed += (one ^ other).toString(2).replaceAll("0", "").length;
    }
    expect(changed / 1000).toBeGreaterThan(30);
    expect(changed / 1000).toBeLessThan(34);
  });

  test("no two of 300,000 neighbouring states share a digest", () => {
    const seen = new Set<string>();
    for (let subject = 0; subject < 1000; subject++) {
      for (let score = 0; score < 300; score++) {
        seen.add(
          digestOf((digest) => {
            digest.u32(subject);
            digest.f64(score / 100);
          }),
        );
      }
    }
    expect(seen.size).toBe(300_000);
  });

  test("order and the ends of texts and bytes count", () => {
    expect(
      digestOf((digest) => {
        digest.text("ab");
        digest.text("c");
      }),
    ).not.toBe(
      digestOf((digest) => {
        digest.text("a");
        digest.text("bc");
      }),
    );
    expect(
      digestOf((digest) => {
        digest.u32(1);
        digest.u32(2);
      }),
    ).not.toBe(
      digestOf((digest) => {
        digest.u32(2);
        digest.u32(1);
      }),
    );
    expect(digestOf((digest) => digest.bytes(Uint8Array.of(1)))).not.toBe(
      digestOf((digest) => digest.bytes(Uint8Array.of(1, 0))),
    );
    expect(digestOf(() => undefined)).not.toBe(digestOf((digest) => digest.text("")));
  });

  test("tells 0 from -0, and takes every NaN for the same", () => {
    expect(digestOf((digest) => digest.f64(0))).not.toBe(digestOf((digest) => digest.f64(-0)));
    const signed = new Float64Array(Uint32Array.of(0x1234, 0xfff80000).buffer)[0]!;
    expect(digestOf((digest) => digest.f64(signed))).toBe(digestOf((digest) => digest.f64(NaN)));
  });

  test("a column is its numbers one after the other", () => {
    const column = Float64Array.of(1, 2.5, -3, 4);
    const expected = digestOf((digest) => {
      digest.f64(2.5);
      digest.f64(-3);
    });
    expect(digestOf((digest) => digest.f64s(column, 1, 3))).toBe(expected);
  });
});
