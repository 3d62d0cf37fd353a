package dev.plumb.bench;

import dev.plumb.backend.Backend;

/**
 * A backend that is measured.
 *
 * @param threads on a processor; 0 where it is not on a processor, and no ceilings are measured
 */
public record Entrant(Backend backend, int threads) {
  /** Whether it computes on this machine's processor. */
  boolean isOnProcessor() {
    return threads > 0;
  }
}
