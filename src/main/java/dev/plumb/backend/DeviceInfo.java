package dev.plumb.backend;

import dev.plumb.model.Keyed;

/**
 * What a backend computes on.
 *
 * @param name for people: a card's name, or how the CPU is used
 */
public record DeviceInfo(Kind kind, String name) {
  /** The backends there are. */
  public enum Kind implements Keyed {
    REFERENCE("reference"),
    CPU("cpu"),
    CUDA("cuda");

    private final String key;

    Kind(String key) {
      this.key = key;
    }

    @Override
    public String key() {
      return key;
    }
  }
}
