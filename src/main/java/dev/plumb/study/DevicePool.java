package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.OpenableDevice;
import dev.plumb.model.ParameterLayout;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Trains groups on several devices. The calling thread uses the first device, whose backend it has opened; each other device has a
 * thread of its own.
 */
final class DevicePool implements TrialExecutor {
  private final Backend first;
  private final String firstName;
  private final List<DeviceThread> others = new ArrayList<>();
  private final Consumer<String> onNote;
  private final Consumer<String> onFailure;

  DevicePool(Backend first, List<OpenableDevice> devices, Consumer<String> onNote, Consumer<String> onFailure) {
    this.first = first;
    this.onNote = onNote;
    this.onFailure = onFailure;
    firstName = devices.get(0).name();
    try {
      devices.stream().skip(1).map(DeviceThread::new).forEach(others::add);
      leaveOut(backend -> Optional.empty());
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  @Override
  public Backend backend() {
    return first;
  }

  @Override
  public DeviceInfo device() {
    DeviceInfo device = first.device();
    String names = Stream.concat(Stream.of(firstName), others.stream().map(DeviceThread::name)).collect(Collectors.joining(", "));
    return others.isEmpty() ? device
        : new DeviceInfo(device.kind(), device.name() + "; " + deviceCount() + " devices: " + names);
  }

  @Override
  public int deviceCount() {
    return 1 + others.size();
  }

  @Override
  public int groupsAtOnce(ReplicaGroup group) {
    return deviceCount();
  }

  @Override
  public void leaveOutOtherNumerics(Function<Backend, Numerics> numerics) {
    Numerics expected = numerics.apply(first);
    leaveOut(backend -> {
      List<String> differences = numerics.apply(backend).differencesFrom(expected);
      return differences.isEmpty() ? Optional.empty() : Optional.of("its results would differ in the last bits from those of "
          + firstName + ": " + String.join("; ", differences));
    });
  }

  /** Checks all devices but the first at once, and leaves out those that fail or for which the check returns a reason. */
  private void leaveOut(Function<Backend, Optional<String>> check) {
    List<DeviceThread> checked = List.copyOf(others);
    List<Future<Optional<String>>> results = checked.stream().map(device -> device.start(check)).toList();
    for (int i = 0; i < checked.size(); i++) {
      DeviceThread device = checked.get(i);
      reasonAgainst(results.get(i)).ifPresent(reason -> {
        others.remove(device);
        device.close();
        onNote.accept(device.name() + " is not used: " + reason);
      });
    }
  }

  private static Optional<String> reasonAgainst(Future<Optional<String>> check) {
    try {
      return DeviceThread.await(check);
    } catch (DeviceUnavailableException | DeviceFailedException e) {
      return Optional.of(e.getMessage());
    }
  }

  @Override
  public <G extends ReplicaGroup> void train(List<G> groups, GroupTrainer<G> trainer) {
    // The largest first, so that none of them runs last.
    List<G> sorted = groups.stream().sorted(Comparator.comparingDouble(
        group -> -(double) ParameterLayout.of(group.network()).size() * group.size())).toList();
    GroupQueue<G> queue = new GroupQueue<>(sorted, deviceCount());
    List<Future<Boolean>> workers = others.stream().map(device -> device.start(backend -> {
      work(queue, device.name(), backend, trainer);
      return true;
    })).toList();
    work(queue, firstName, first, trainer);
    try {
      queue.awaitEnd();
    } catch (InterruptedException e) {
      stopInterrupted(queue);
    }
    workers.forEach(DeviceThread::await);
    queue.throwFailure();
  }

  /** Trains groups until there are no more, or the device fails, or the study ends for another reason. Throws no exception. */
  private <G extends ReplicaGroup> void work(GroupQueue<G> queue, String name, Backend backend, GroupTrainer<G> trainer) {
    try {
      Optional<G> group = queue.take();
      while (group.isPresent() && isTrained(queue, group.get(), name, backend, trainer)) {
        group = queue.take();
      }
    } catch (InterruptedException e) {
      stopInterrupted(queue);
    } catch (RuntimeException | Error e) {
      queue.stop(e);
    }
  }

  private static void stopInterrupted(GroupQueue<?> queue) {
    Thread.currentThread().interrupt();
    queue.stop(new TrainingInterruptedException(ParallelTrainings.OF_A_STUDY));
  }

  /** Trains a group; returns false if the device fails, and gives the group back to the queue. */
  private <G extends ReplicaGroup> boolean isTrained(
      GroupQueue<G> queue, G group, String name, Backend backend, GroupTrainer<G> trainer) {
    try {
      trainer.train(group, backend, queue::isStopped);
      queue.finished();
      return true;
    } catch (DeviceFailedException e) {
      failed(queue, group, name, e, e.getMessage());
    } catch (DeviceUnavailableException e) {
      failed(queue, group, name, e, e.reason());
    }
    return false;
  }

  private <G> void failed(GroupQueue<G> queue, G group, String name, RuntimeException failure, String reason) {
    if (queue.giveBack(group, failure) > 0) {
      onFailure.accept(name + " failed and is not used any more; the other devices train its networks: " + reason);
    }
  }

  @Override
  public void close() {
    others.forEach(DeviceThread::close);
  }
}
