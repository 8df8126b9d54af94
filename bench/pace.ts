/** Open loops: what is due at a time starts then, whether or not what came before has been answered. */
import type { Connection } from "./http-client.ts";

/** Calls `due` as often a second for so many seconds, catching up when the timer was late. */
export function paced(
  perSecond: number,
  seconds: number,
  due: (dueAt: number, index: number) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const began = performance.now();
    let index = 0;
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - began;
      for (; index < (elapsedMs / 1000) * perSecond && index < seconds * perSecond; index++) {
        due(began + (index * 1000) / perSecond, index);
      }
      if (index < seconds * perSecond) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
}

/** Sends requests in turn at a rate; resolves with how many were answered 200. */
export async function pacedRequests(
  connections: readonly Connection[],
  requests: readonly Uint8Array[],
  perSecond: number,
  seconds: number,
): Promise<number> {
  const idle = [...connections];
  let next = 0;
  let answered = 0;
  const pending: Promise<void>[] = [];
  await paced(perSecond, seconds, () => {
    const connection = idle.pop();
    // All are busy: this request is left out, and the rate reported says so.
    if (connection === undefined) return;
    pending.push(
      connection.send(requests[next++ % requests.length]!).then((status) => {
        if (status === 200) answered++;
        idle.push(connection);
      }),
    );
  });
  await Promise.all(pending);
  return answered;
}
