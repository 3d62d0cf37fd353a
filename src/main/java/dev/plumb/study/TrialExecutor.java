package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.OpenableDevice;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** The devices that train groups of networks, and the threads that use them. The results do not depend on it. */
public interface TrialExecutor extends AutoCloseable {
  /** The trainings of a job. An executor trains groups in this process, or sends them to the {@link TrialWorker} of another one. */
  interface GroupTrainer<G extends ReplicaGroup> {
    /**
     * Trains a group on one device and reports its results. Called by several threads.
     *
     * @param stopped returns true once the training of another group has failed
     * @throws java.util.concurrent.CancellationException when the training has been stopped; nothing of the group is reported
     */
    void train(G group, Backend backend, BooleanSupplier stopped);

    /** Returns a group as the text that {@link TrialWorker#train} reads. */
    String text(G group);

    /**
     * Reports the results of a group that another process has trained. Called by the thread that trains all groups.
     *
     * @param results bytes from {@link TrialWorker#train}
     */
    void received(G group, byte[] results);

    /** Returns true to stop the job. */
    boolean stopRequested();
  }

  /**
   * Returns an executor on one device, which trains small groups at once if the backend recommends it.
   *
   * @param backend closed by the caller
   */
  static TrialExecutor on(Backend backend) {
    return new LocalExecutor(backend);
  }

  /**
   * Returns an executor that trains a group on each device at a time. A group whose device fails is trained by another device.
   *
   * @param first the open backend of the first device; belongs to the calling thread, which closes it
   * @param devices all devices, the first one included
   * @param onNote receives one line about each device that cannot be used
   * @param onFailure receives one line about each device that fails while others continue; called by several threads
   */
  static TrialExecutor on(Backend first, List<OpenableDevice> devices, Consumer<String> onNote, Consumer<String> onFailure) {
    return devices.size() > 1 ? new DevicePool(first, devices, onNote, onFailure) : on(first);
  }

  /** Returns the backend of the first device; it belongs to the thread that created this executor. */
  Backend backend();

  /** Returns the device, or a description of all devices. */
  DeviceInfo device();

  /** Returns the number of devices. */
  int deviceCount();

  /** Returns how many groups like this one are trained at the same time. */
  int groupsAtOnce(ReplicaGroup group);

  /** Returns whether other processes train the groups: nothing can be opened on {@link #backend} then. */
  default boolean isRemote() {
    return false;
  }

  /**
   * Tells a remote executor what the job is, before it is prepared in this process. Checks there that it can be trained.
   *
   * @param job called by remote executors only
   * @param onNumerics receives the numerics of the groups that are received next, before them, if they are not those of the groups
   *     received before or, at first, of {@link #backend}
   * @throws dev.plumb.model.InvalidInputException when the job cannot be trained
   */
  default void describe(Supplier<TrialJob> job, Consumer<Numerics> onNumerics) {}

  /**
   * Leaves out the devices whose results would differ in the last bits from those of the first device.
   *
   * @param numerics returns the numerics of the study on a backend; called in the backend's thread
   */
  default void leaveOutOtherNumerics(Function<Backend, Numerics> numerics) {}

  /**
   * Trains all groups. Called by the thread that created this executor.
   *
   * @throws java.util.concurrent.CancellationException when the trainer has stopped
   * @throws dev.plumb.train.TrainingInterruptedException soon after the thread is interrupted
   */
  <G extends ReplicaGroup> void train(List<G> groups, GroupTrainer<G> trainer);

  /** Closes the devices that this executor has opened. */
  @Override
  default void close() {}
}
