/** The health of a network as it is told, by answers and by live updates. */
import type { NetworkStanding } from "@staunch/engine";

export function toldNetwork(network: NetworkStanding) {
  const { kind, known, rated, active, healthy, suspended, banned, health, parts } = network;
  return {
    kind,
    known,
    rated,
    active,
    healthy,
    suspended,
    banned,
    average_score: network.averageScore,
    average_response_ms: network.averageResponseMs,
    success_rate: network.successRate,
    open_selections: network.openSelections,
    health,
    parts: [...parts],
  };
}
