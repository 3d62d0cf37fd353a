package dev.plumb.backend;

import dev.plumb.model.NamedEnum;

/**
 * What a backend computes on.
 *
 * @param name for people: a card's name, or how the CPU is used
 */
public record DeviceInfo(Kind kind, String name) {
  /** The backends there are. */
  public enum Kind implements NamedEnum {
    REFERENCE,
    CPU,
    CUDA
  }
}
