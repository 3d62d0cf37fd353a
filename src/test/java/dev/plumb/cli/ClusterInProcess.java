package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.Device;
import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.study.ClusterBackend;
import dev.plumb.study.ReplicaGroup;
import dev.plumb.study.TrialJob;
import dev.plumb.study.TrialWorker;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A cluster that trains in this process, but knows jobs, groups and results only as another process does: as text and bytes. */
final class ClusterInProcess implements Cluster {
  private final int slots;
  /** Number of groups that have been trained. */
  int trained;

  ClusterInProcess(int slots) {
    this.slots = slots;
  }

  @Override
  public ClusterBackend open(String url, Device device, Backends.Usage usage, Consumer<String> onWarning, boolean otherNumericsAllowed) {
    return new Connection(Backends.open(device, usage).backend());
  }

  @Override
  public ScoringResult score(String url, ScoringRequest request) {
    throw new AssertionError("no test of this cluster scores");
  }

  private final class Connection implements ClusterBackend {
    private final Backend there;
    private TrialWorker worker;
    private Numerics numerics;

    Connection(Backend there) {
      this.there = there;
    }

    @Override
    public DeviceInfo device() {
      return there.device();
    }

    @Override
    public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
      return numerics;
    }

    @Override
    public int deviceCount() {
      return slots;
    }

    @Override
    public void describe(Supplier<TrialJob> job, Consumer<Numerics> onNumerics) {
      worker = TrialJob.parse(job.get().json()).open(there, file -> Path.of(file.path()));
      numerics = worker.numerics();
    }

    @Override
    public <G extends ReplicaGroup> void train(List<G> groups, GroupTrainer<G> trainer) {
      // From the last to the first: the order does not matter.
      for (int i = groups.size() - 1; i >= 0; i--) {
        if (trainer.stopRequested()) {
          throw new CancellationException();
        }
        trainer.received(groups.get(i), worker.train(trainer.text(groups.get(i)), there, () -> false).bytes());
        trained++;
      }
    }

    @Override
    public void close() {
      there.close();
    }
  }
}
