package dev.plumb.backend.cpu;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.InferenceSession;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.ProductProbes;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cpu.engine.ElementType;
import dev.plumb.backend.cpu.engine.ProductSet;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import dev.plumb.backend.cpu.engine.Tiles;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Vectorized, multi-threaded CPU backend. Small networks are trained unit by unit over all samples in plain Java that the JIT
 * compiler vectorizes, one network per thread. Wide networks are trained by matrix products of OpenBLAS or of the Vector
 * API, which all threads share.
 */
public final class CpuBackend implements Backend, ProductProbes {
  /**
   * Number of weights in the largest layer from which matrix products are faster than rows by enough to make up for loading a
   * BLAS. Measured with OpenBLAS on AVX2, three hidden layers, batches of 32 to 2000; time by rows divided by time by products:
   * 0.6 to 1.4 for 8 units, 1.1 to 1.5 for 16, 1.0 to 2.0 for 24, 1.7 to 3.7 for 32, 2.3 to 3.7 for 64, 2.8 to 5.9 for 128; half
   * of that where rows use the Vector API.
   */
  private static final long MIN_PRODUCT_WEIGHTS = 24 * 24;

  /**
   * Number of units in the narrowest hidden layer, and of rows in a batch, from which products of the Vector API are faster than
   * those of OpenBLAS. Measured on Zen 4 in single precision, all hidden layers of one width; time by OpenBLAS divided by time by
   * the Vector API: 1.1 for 512 units and batches of 128, 0.85 for 256 and 64, 0.7 for 512 and 20, 0.75 for 128 and 400.
   */
  private static final int MIN_VECTOR_API_UNITS = 384;

  private static final int MIN_VECTOR_API_BATCH = 96;

  /**
   * Maximum number of units of the widest layer times rows of a batch, and of parameters, for which one thread trains a network.
   * Measured with two threads on two cores: the networks of a hyperparameter search, with 16 to 256 units and batches of 16 to 128,
   * took 0.84 of the time of one thread if all threads shared a network.
   */
  private static final long MAX_SHORT_PRODUCT = 1 << 16;
  private static final int MAX_SHORT_PRODUCT_PARAMETERS = 1 << 20;

  private final CpuOptions options;
  private final Consumer<String> onNote;

  /** @param onNote receives a one-line note when something works, but slower than it could, with the reason */
  public CpuBackend(CpuOptions options, Consumer<String> onNote) {
    this.options = options;
    this.onNote = onNote;
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.CPU, options.threads() + (options.threads() == 1 ? " thread" : " threads"));
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return Refusal.ofReplicas(replicas).or(() -> refusal(training.precision()));
  }

  private static Optional<Refusal> refusal(Precision precision) {
    return precision == Precision.FP64 || precision == Precision.FP32
        ? Optional.empty()
        : Optional.of(new Refusal("precision " + precision.key() + " is not supported on a CPU", "use fp32 or fp64"));
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    refusal(network, training, replicas).ifPresent(CpuBackend::throwRefusal);
    FusedMultiplyAdd.check(onNote);
    Optional<MatrixProducts> products = products(network, training);
    ThreadTeam team = new ThreadTeam(options.threads());
    try {
      if (training.precision() == Precision.FP64) {
        return new CpuSession<>(network, training, replicas, ElementType.FP64,
            new dev.plumb.backend.cpu.fp64.DenseReplicas(
                network, training, replicas, products.map(MatrixProducts::doubles).orElse(null), team),
            team);
      }
      return new CpuSession<>(network, training, replicas, ElementType.FP32,
          new dev.plumb.backend.cpu.fp32.DenseReplicas(
              network, training, replicas, products.map(MatrixProducts::floats).orElse(null), team),
          team);
    } catch (RuntimeException | Error e) {
      team.close();
      throw e;
    }
  }

  private static void throwRefusal(Refusal refusal) {
    throw refusal.toException();
  }

  /**
   * Returns more than 1 for small networks: each is trained by one thread, so a session of few replicas keeps few threads busy.
   * The products of medium networks are too short for several threads: two sessions of one thread are faster than one of two.
   */
  @Override
  public int sessionsAtOnce(NetworkSpec network, TrainingSpec training, int replicas) {
    if (isByRows(network) || !Tiles.isDivided(network)) {
      return Math.max(1, options.threads() / replicas);
    }
    long maxUnits = Collections.max(network.widths());
    boolean areShort = maxUnits * training.batchSize().orElse(Integer.MAX_VALUE) <= MAX_SHORT_PRODUCT
        && ParameterLayout.of(network).size() <= MAX_SHORT_PRODUCT_PARAMETERS;
    return areShort ? options.threads() : 1;
  }

  @Override
  public Backend sharedBy(int sessions) {
    return new CpuBackend(options.withThreads(Math.max(1, options.threads() / sessions)), onNote);
  }

  /** Returns the implementation of matrix products; empty for a network that is computed by rows. */
  private Optional<MatrixProducts> products(NetworkSpec network, TrainingSpec training) {
    if (isByRows(network)) {
      return Optional.empty();
    }
    return Optional.of(products(network, training.batchSize().orElse(Integer.MAX_VALUE)));
  }

  private MatrixProducts products(NetworkSpec network, int batch) {
    boolean useVectorApi = switch (options.method()) {
      case BY_SIZE -> isVeryWide(network) && batch >= MIN_VECTOR_API_BATCH;
      case PRODUCTS -> true;
      case ROWS, JAVA_PRODUCTS -> false;
    };
    return (useVectorApi ? MatrixProducts.withVectorApi() : Optional.<MatrixProducts>empty()).orElseGet(this::libraryProducts);
  }

  private static boolean isVeryWide(NetworkSpec network) {
    List<Integer> widths = network.widths();
    return Collections.max(widths) >= MIN_VECTOR_API_UNITS
        && widths.subList(1, widths.size() - 1).stream().allMatch(width -> width >= MIN_VECTOR_API_UNITS);
  }

  private MatrixProducts libraryProducts() {
    return options.method() == CpuOptions.Method.JAVA_PRODUCTS
        ? MatrixProducts.plainJava("as requested")
        : MatrixProducts.load(onNote);
  }

  @Override
  public Optional<InferenceSession> separateInference(NetworkSpec network, Precision precision, double[] parameters) {
    FusedMultiplyAdd.check(onNote);
    // The last bits of a library's matrix products depend on the number of rows and on their order.
    return isByRows(network) ? Optional.empty() : Optional.of(CpuInference.open(network, precision, parameters, options.threads()));
  }

  private boolean isByRows(NetworkSpec network) {
    if (options.method() != CpuOptions.Method.BY_SIZE) {
      return options.method() == CpuOptions.Method.ROWS;
    }
    long maxWeights = 0;
    for (int l = 0; l < network.layerCount(); l++) {
      maxWeights = Math.max(maxWeights, (long) network.layer(l).in() * network.layer(l).out());
    }
    return maxWeights < MIN_PRODUCT_WEIGHTS;
  }

  @Override
  public String library() {
    String name = libraryProducts().library();
    return options.method() == CpuOptions.Method.BY_SIZE
        ? MatrixProducts.withVectorApi().map(widest -> name + "; for the widest networks " + widest.library()).orElse(name)
        : name;
  }

  @Override
  public List<Schedule> stepProducts(NetworkSpec network, Precision precision, int batch) {
    refusal(precision).ifPresent(CpuBackend::throwRefusal);
    MatrixProducts used = products(network, batch);
    List<Schedule> schedules =
        new ArrayList<>(ProductSchedule.of(productSet(network, precision, batch, used), used, options.threads()));
    MatrixProducts library = libraryProducts();
    if (used.doubles() != library.doubles() && library.ownThreads() != null) {
      schedules.add(ProductSchedule.libraryThreads(productSet(network, precision, batch, library), library, options.threads()));
    }
    return schedules;
  }

  private static ProductSet productSet(NetworkSpec network, Precision precision, int batch, MatrixProducts products) {
    return precision == Precision.FP64
        ? new dev.plumb.backend.cpu.fp64.StepProducts(network, batch, products.doubles())
        : new dev.plumb.backend.cpu.fp32.StepProducts(network, batch, products.floats());
  }

  /**
   * {@inheritDoc}
   *
   * <p>The entry is "vectors" for a network that is computed by rows, and "products" for others.
   */
  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    Numerics numerics = Numerics.of(DeviceInfo.Kind.CPU, training.precision());
    return products(network, training)
        .map(products -> numerics.with("products", products.library()))
        .orElseGet(() -> numerics.with("vectors", dev.plumb.backend.cpu.fp64.VectorizationProvider.get().name()));
  }

  @Override
  public void close() {
    // Sessions own the threads.
  }
}
