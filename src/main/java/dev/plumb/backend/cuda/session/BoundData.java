package dev.plumb.backend.cuda.session;

import dev.plumb.backend.cuda.device.Buffer;
import dev.plumb.backend.cuda.device.CudaContext;
import dev.plumb.backend.cuda.device.DeviceArena;
import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.data.Dataset;
import dev.plumb.model.Precision;
import java.util.Arrays;
import java.util.Optional;

/**
 * The data set of the steps on the device: X [rows x features], stored as a factor of products, Y [rows x outputs] or int labels
 * [rows], weights [rows] if any.
 */
public final class BoundData {
  /** The largest number of values per copy, so that a large data set is not in host memory twice. */
  private static final int MAX_VALUES_PER_COPY = 1 << 16;

  private final Dataset data;
  private final DeviceArena arena;
  private final Buffer x;
  private final Buffer targets;
  private final Optional<Buffer> weights;
  private final Optional<LossDivisors> divisors;

  /** Copies a data set to the device. */
  public BoundData(CudaContext context, Transfers transfers, Dataset data, Precision precision, boolean guards) {
    this.data = data;
    int bytes = Transfers.bytesOf(precision);
    arena = new DeviceArena(context, "data of " + data.rows() + " rows", guards);
    x = new Buffer(arena.reserve("X", bytesOfRow(data.features(), precision) * data.rows()));
    targets = new Buffer(arena.reserve("targets",
        data.hasClasses() ? (long) data.rows() * Integer.BYTES : (long) data.rows() * data.outputs() * bytes));
    weights = data.hasWeights() ? Optional.of(new Buffer(arena.reserve("weights", (long) data.rows() * bytes))) : Optional.empty();
    divisors = data.hasWeights() ? Optional.of(new LossDivisors(data, precision)) : Optional.empty();
    arena.allocate();
    try {
      upload(transfers, data, 0, data.rows(), x, targets, precision);
      weights.ifPresent(buffer -> uploadWeights(transfers, data, 0, data.rows(), buffer, bytes));
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** Returns the size in bytes of a row of X. */
  public static long bytesOfRow(int features, Precision precision) {
    FactorFormat format = FactorFormat.of(precision);
    return (long) format.pitch(features) * format.bytes(precision);
  }

  /** Copies rows of a data set to the beginning of two buffers; without the targets if {@code targets} is null. */
  public static void upload(Transfers transfers, Dataset data, int from, int to, Buffer x, Buffer targets, Precision precision) {
    int valueBytes = Transfers.bytesOf(precision);
    int rowsPerCopy = Math.max(1, MAX_VALUES_PER_COPY / Math.max(data.features(), data.outputs()));
    for (int first = from; first < to; first += rowsPerCopy) {
      int end = Math.min(first + rowsPerCopy, to);
      int rows = end - first;
      long done = first - from;
      transfers.uploadFeatures(
          data.featureRows(first, rows), data.features(), x.slice().pointer(done * bytesOfRow(data.features(), precision)));
      if (targets == null) {
        continue;
      }
      if (data.hasClasses()) {
        int start = first;
        int[] labels = new int[rows];
        Arrays.setAll(labels, i -> data.label(start + i));
        transfers.upload(labels, targets.slice().pointer(done * Integer.BYTES));
      } else {
        transfers.uploadData(data.targetRows(first, rows), targets.slice().pointer(done * data.outputs() * valueBytes));
      }
    }
  }

  /** Copies the weights of rows of a data set to the beginning of a buffer. */
  public static void uploadWeights(Transfers transfers, Dataset data, int from, int to, Buffer weights, int valueBytes) {
    for (int first = from; first < to; first += MAX_VALUES_PER_COPY) {
      int start = first;
      double[] values = new double[Math.min(MAX_VALUES_PER_COPY, to - first)];
      Arrays.setAll(values, i -> data.weight(start + i));
      transfers.uploadData(values, weights.slice().pointer((long) (first - from) * valueBytes));
    }
  }

  /** Returns X [rows x features]. */
  public Buffer x() {
    return x;
  }

  /** Returns Y [rows x outputs], or int labels [rows]. */
  public Buffer targets() {
    return targets;
  }

  /** Returns the weights [rows]; empty for data without weights. */
  public Optional<Buffer> weights() {
    return weights;
  }

  /** Returns the divisors of mean losses; empty for data without weights. */
  public Optional<LossDivisors> divisors() {
    return divisors;
  }

  /** Returns the data set. */
  public Dataset data() {
    return data;
  }

  /** Returns the device memory. */
  public DeviceArena arena() {
    return arena;
  }
}
