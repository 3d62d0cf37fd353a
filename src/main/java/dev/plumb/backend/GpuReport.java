package dev.plumb.backend;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The GPUs of this machine, and whether Plumb can use them.
 *
 * @param findings the result of each check, in the order in which one depends on another
 * @param gpus the GPUs that the driver lists; empty when it could not be asked
 * @param usable whether there is a GPU that Plumb can use
 * @param verdict one line: the GPU that is used by default, or why none can be used
 * @param remedy one line: what the user can do; empty when there is nothing to do
 */
public record GpuReport(List<Detection> findings, List<Gpu> gpus, boolean usable, String verdict, Optional<String> remedy) {
  /**
   * The result of looking for one thing, like the driver or a library.
   *
   * @param subject name of the thing
   * @param found the result as text, including the source
   * @param source the kind of place a library was found in, like "CUDA_HOME" or "pip, in VIRTUAL_ENV"; empty when none was
   *     found, or nothing was searched for
   * @param lookedIn the places that were searched, in order, when it was not found; otherwise empty
   */
  public record Detection(String subject, String found, Optional<String> source, List<String> lookedIn) {}

  /**
   * One GPU.
   *
   * @param device its name for the option --device, like cuda:0
   * @param computeCapability major and minor version, like 8.9
   * @param memory in bytes
   * @param freeMemory in bytes; empty when the driver did not report it
   * @param fault why Plumb cannot use it; empty when it can
   */
  public record Gpu(
      String device, String name, String computeCapability, long memory, OptionalLong freeMemory, Optional<String> fault) {}
}
