package dev.plumb.backend;

import dev.plumb.model.NamedEnum;

/**
 * The device that a backend computes on.
 *
 * @param name for reports: the GPU's name, or the number of CPU threads
 */
public record DeviceInfo(Kind kind, String name) {
  /** The kinds of backends. */
  public enum Kind implements NamedEnum {
    REFERENCE,
    CPU,
    CUDA
  }
}
