package dev.plumb.backend.cuda.session;

import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;

/**
 * The layout of weights and biases on the device: in the order of {@link ParameterLayout}, with each tensor aligned to 16 bytes,
 * which cuBLAS needs for its fastest kernels. The padding stays 0.
 */
public final class PaddedLayout {
  private static final int ALIGNMENT_BYTES = 16;
  /** The largest number of elements whose squares one block sums. */
  private static final int MAX_PIECE = 8192;

  private final ParameterLayout layout;
  private final List<Long> offsets = new ArrayList<>();
  private final long size;

  /** Lays out the parameters of a network. */
  public PaddedLayout(NetworkSpec network, Precision precision) {
    layout = ParameterLayout.of(network);
    int alignment = ALIGNMENT_BYTES / Transfers.bytesOf(precision);
    long offset = 0;
    for (ParameterLayout.Slice slice : layout.slices()) {
      offsets.add(offset);
      offset = Launches.ceilDiv(offset + slice.size(), alignment) * alignment;
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

  /** Returns the offset of a tensor, by its index in {@link ParameterLayout#slices}. */
  public long offset(int slice) {
    return offsets.get(slice);
  }

  /** Returns the tensors divided into pieces for one block each: pairs of offset and length. No piece spans two tensors. */
  public long[] pieces() {
    List<Long> pieces = new ArrayList<>();
    for (int i = 0; i < offsets.size(); i++) {
      int length = layout.slices().get(i).size();
      for (int first = 0; first < length; first += MAX_PIECE) {
        pieces.add(offsets.get(i) + first);
        pieces.add((long) Math.min(MAX_PIECE, length - first));
      }
    }
    return pieces.stream().mapToLong(Long::longValue).toArray();
  }

  /** Returns the first piece of each tensor, [tensors + 1]; the last is the number of pieces. */
  public int[] firstPieces() {
    int[] first = new int[offsets.size() + 1];
    for (int i = 0; i < offsets.size(); i++) {
      first[i + 1] = first[i] + (int) Launches.ceilDiv(layout.slices().get(i).size(), MAX_PIECE);
    }
    return first;
  }
}
