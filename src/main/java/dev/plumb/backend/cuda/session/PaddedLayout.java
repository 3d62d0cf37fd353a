package dev.plumb.backend.cuda.session;

import dev.plumb.backend.cuda.device.FactorFormat;
import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;

/**
 * The layout of trained parameters on the device: in the order of {@link ParameterLayout}, with each tensor aligned to 16 bytes,
 * which cuBLAS needs for its fastest kernels. In bf16, each row of W is as long as {@link FactorFormat#pitch}, so that the rounded
 * copy of the parameters has the same layout. The padding stays 0. Running statistics, which are not trained, are stored apart.
 */
public final class PaddedLayout {
  private static final int ALIGNMENT_BYTES = 16;
  /** The largest number of elements whose squares one block sums. */
  private static final int MAX_PIECE = 8192;

  private final ParameterLayout layout;
  private final FactorFormat format;
  private final int layers;
  /** The offset of each trained tensor, in the order of {@link ParameterLayout#slices}. */
  private final List<Long> offsets = new ArrayList<>();
  private final long size;

  /** Lays out the parameters of a network. */
  public PaddedLayout(NetworkSpec network, Precision precision) {
    layout = ParameterLayout.of(network);
    format = FactorFormat.of(precision);
    layers = network.layerCount();
    int alignment = ALIGNMENT_BYTES / format.bytes(precision);
    long offset = 0;
    for (int i = 0; i < layout.slices().size() && layout.slices().get(i).kind().isTrained(); i++) {
      offsets.add(offset);
      offset = Launches.ceilDiv(offset + paddedSize(i), alignment) * alignment;
    }
    size = offset;
  }

  /** Returns the number of elements per replica, including padding: the stride between replicas. */
  public long size() {
    return size;
  }

  /** Returns the offset of a layer's W. */
  public long weight(int layer) {
    return offsets.get(2 * layer);
  }

  /** Returns the offset of a layer's b. */
  public long bias(int layer) {
    return offsets.get(2 * layer + 1);
  }

  /** Returns the offset of a trained tensor. */
  public long offset(ParameterLayout.Kind kind, int layer) {
    return offsets.get(layout.slices().indexOf(layout.slice(kind, layer)));
  }

  /** Returns the number of running statistics, which follow the trained parameters in {@link ParameterLayout}. */
  public int statistics() {
    return layout.size() - layout.trainedSize();
  }

  /** Returns the offset of a layer's running means among the running statistics. */
  public int runningMean(int layer) {
    return layout.slice(ParameterLayout.Kind.RUNNING_MEAN, layer).offset() - layout.trainedSize();
  }

  /** Returns the number of trained tensors, which are the first of {@link ParameterLayout#slices}. */
  public int tensors() {
    return offsets.size();
  }

  /** Returns the offset of a tensor, by its index in {@link ParameterLayout#slices}. */
  public long offset(int slice) {
    return offsets.get(slice);
  }

  /** Returns the number of elements of a tensor, with the padding of its rows. */
  public int paddedSize(int slice) {
    ParameterLayout.Slice of = layout.slices().get(slice);
    return of.isVector() ? of.size() : Math.multiplyExact(of.rows(), format.pitch(of.columns()));
  }

  /** Returns whether a tensor's rows are padded. */
  public boolean isPadded(int slice) {
    return paddedSize(slice) != layout.slices().get(slice).size();
  }

  /**
   * Copies a tensor, with the padding of its rows.
   *
   * @param vector all parameters in the order of {@link ParameterLayout}
   * @param at the index of the tensor's first element in {@code padded}
   */
  public void pad(int slice, double[] vector, double[] padded, int at) {
    ParameterLayout.Slice of = layout.slices().get(slice);
    forRows(slice, (first, firstPadded, count) -> System.arraycopy(vector, of.offset() + first, padded, at + firstPadded, count));
  }

  /** Copies a tensor without the padding of its rows to its place in a vector. */
  public void unpad(int slice, double[] padded, double[] vector) {
    ParameterLayout.Slice of = layout.slices().get(slice);
    forRows(slice, (first, firstPadded, count) -> System.arraycopy(padded, firstPadded, vector, of.offset() + first, count));
  }

  /** A copy of {@code count} consecutive elements. */
  private interface Run {
    void copy(int first, int firstPadded, int count);
  }

  private void forRows(int slice, Run run) {
    ParameterLayout.Slice of = layout.slices().get(slice);
    if (!isPadded(slice)) {
      run.copy(0, 0, of.size());
      return;
    }
    int pitch = format.pitch(of.columns());
    for (int row = 0; row < of.rows(); row++) {
      run.copy(row * of.columns(), row * pitch, of.columns());
    }
  }

  /** Returns the tensors divided into pieces for one block each: pairs of offset and length. No piece spans two tensors. */
  public long[] pieces() {
    List<Long> pieces = new ArrayList<>();
    for (int i = 0; i < offsets.size(); i++) {
      int length = paddedSize(i);
      for (int first = 0; first < length; first += MAX_PIECE) {
        pieces.add(offsets.get(i) + first);
        pieces.add((long) Math.min(MAX_PIECE, length - first));
      }
    }
    return pieces.stream().mapToLong(Long::longValue).toArray();
  }

  /**
   * Returns the first piece of each W and b, [2 x layers + 1]; the last is the number of pieces. Those of scales and shifts are
   * counted with the last b: only norms of W are reported, but clipping needs the sum of all squares.
   */
  public int[] firstPieces() {
    int[] first = new int[2 * layers + 1];
    int pieces = 0;
    for (int i = 0; i < offsets.size(); i++) {
      pieces += (int) Launches.ceilDiv(paddedSize(i), MAX_PIECE);
      first[Math.min(i + 1, 2 * layers)] = pieces;
    }
    return first;
  }
}
