package dev.plumb.backend.cuda.session;

import dev.plumb.backend.cuda.device.Launches;
import dev.plumb.backend.cuda.device.Transfers;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;

/**
 * Where weights and biases stand on the device: in the order of {@link ParameterLayout}, but each tensor at a multiple of 16 bytes,
 * which cuBLAS needs for its fastest kernels. What lies between stays 0.
 */
public final class PaddedLayout {
  private static final int ALIGNMENT_BYTES = 16;
  /** Elements whose squares one block sums. */
  private static final int MAX_OF_PIECE = 8192;

  private final ParameterLayout layout;
  private final List<Long> offsets = new ArrayList<>();
  private final long size;

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

  /** Elements of one replica, padding included: the stride between replicas. */
  public long size() {
    return size;
  }

  /** The place of a layer's W. */
  public long weight(int layer) {
    return offsets.get(2 * layer);
  }

  /** The place of a layer's b. */
  public long bias(int layer) {
    return offsets.get(2 * layer + 1);
  }

  /** The place of a tensor, by its index among {@link ParameterLayout#slices}. */
  public long offset(int slice) {
    return offsets.get(slice);
  }

  /** All tensors in pieces that a block can sum: pairs of offset and length, none across two tensors. */
  public long[] pieces() {
    List<Long> pieces = new ArrayList<>();
    for (int i = 0; i < offsets.size(); i++) {
      int length = layout.slices().get(i).size();
      for (int first = 0; first < length; first += MAX_OF_PIECE) {
        pieces.add(offsets.get(i) + first);
        pieces.add((long) Math.min(MAX_OF_PIECE, length - first));
      }
    }
    return pieces.stream().mapToLong(Long::longValue).toArray();
  }

  /** [tensors + 1] where among the pieces each tensor begins; the last is the number of pieces. */
  public int[] firstPieces() {
    int[] first = new int[offsets.size() + 1];
    for (int i = 0; i < offsets.size(); i++) {
      first[i + 1] = first[i] + (int) Launches.ceilDiv(layout.slices().get(i).size(), MAX_OF_PIECE);
    }
    return first;
  }
}
