package dev.plumb.backend.cuda;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;

/** Training on an NVIDIA card, through the CUDA driver, cuBLAS and kernels of our own. Belongs to the thread that opened it. */
public final class CudaBackend implements Backend {
  /** Losses and gradient norms of one step, in a buffer whose places are ints. */
  private static final long MOST_METRICS = 1L << 26;

  private final CudaContext context;
  private final CudaOptions options;

  /**
   * @param ordinal of the card, from 0, as {@code plumb devices} numbers them
   * @throws DeviceUnavailableException when CUDA or that card cannot be used here
   */
  public CudaBackend(int ordinal, CudaOptions options) {
    context = new CudaContext(ordinal);
    this.options = options;
  }

  /**
   * Opens the first card that can be used.
   *
   * @throws DeviceUnavailableException when none can; says why the first one cannot
   */
  public static CudaBackend openFirst(CudaOptions options) {
    CudaNatives.load();
    DeviceUnavailableException first = null;
    int ordinal = 0;
    do {
      try {
        return new CudaBackend(ordinal, options);
      } catch (DeviceUnavailableException e) {
        first = first == null ? e : first;
      }
      ordinal++;
    } while (ordinal < CudaNatives.cards());
    throw first;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CUDA, context.name());
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    if (replicas < 1) {
      return Optional.of(new Refusal("replicas " + replicas, "ask for at least 1"));
    }
    long metrics = (long) replicas * (2 + network.layerCount());
    if (metrics > MOST_METRICS) {
      return Optional.of(new Refusal("replicas " + replicas + " of " + network.layerCount() + " layers", "ask for fewer"));
    }
    if (training.precision() == Precision.BF16) {
      return Optional.of(new Refusal("precision bf16 is not there yet on cuda", "use fp32, or tf32 for tensor cores"));
    }
    return Optional.empty();
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    context.enter();
    refusal(network, training, replicas).ifPresent(refusal -> {
      throw new InvalidInputException(refusal.reason() + ": " + refusal.remedy());
    });
    return new CudaSession(context, network, training, replicas, options);
  }

  @Override
  public void close() {
    context.close();
  }
}
