package dev.plumb.backend;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What there is of GPUs on this machine, and whether they can be used.
 *
 * @param findings what was looked for and what was found, in the order in which one thing needs another
 * @param cards as the driver lists them; empty when it could not be asked
 * @param usable whether there is a card that can be used
 * @param verdict in one line, which card can be used, or why none
 * @param remedy in one line, what to do; empty when there is nothing to be done
 */
public record GpuReport(List<Detection> findings, List<Gpu> cards, boolean usable, String verdict, Optional<String> remedy) {
  /**
   * One thing that was looked for.
   *
   * @param found the result as text, with the source in it
   * @param source what kind of place a library was found in, like "CUDA_HOME" or "pip, in VIRTUAL_ENV"; empty when none was
   *     found, or nothing was searched for
   * @param lookedIn where, in order, when it was not found
   */
  public record Detection(String what, String found, Optional<String> source, List<String> lookedIn) {}

  /**
   * A card.
   *
   * @param device how --device names it
   * @param computeCapability 8.9
   * @param memory bytes
   * @param freeMemory bytes; empty when the driver did not say
   * @param fault why it cannot be used; empty when it can
   */
  public record Gpu(
      String device, String name, String computeCapability, long memory, OptionalLong freeMemory, Optional<String> fault) {}
}
