package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.study.ClusterBackend;
import java.util.function.Consumer;

/** Processes on other machines that train networks and predict, reached through a library that is not part of Plumb. */
public interface Cluster {
  /**
   * Connects to the processes.
   *
   * @param url of --on
   * @param device auto, cuda, cpu or reference
   * @param usage how each process uses its device
   * @param onWarning receives a line about something that is wrong with a process, but does not end the job; called by any thread
   * @param otherNumericsAllowed whether results are accepted whose last bits may differ from those of the first process
   * @throws dev.plumb.model.InvalidInputException when the processes cannot have such devices
   * @throws dev.plumb.backend.DeviceUnavailableException when no process can be reached
   */
  ClusterBackend open(String url, Device device, Backends.Usage usage, Consumer<String> onWarning, boolean otherNumericsAllowed);

  /**
   * Scores a folder or file: writes its columns and the predictions of a model to a new folder.
   *
   * @param url of --on
   * @return the counts of rows
   * @throws dev.plumb.model.InvalidInputException when the input cannot be scored, or the output exists; nothing is written then
   * @throws dev.plumb.backend.DeviceUnavailableException when no process can be reached
   */
  ScoringResult score(String url, ScoringRequest request);
}
