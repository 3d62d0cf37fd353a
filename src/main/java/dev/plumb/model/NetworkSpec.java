package dev.plumb.model;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The shape of a multilayer perceptron. Hidden layers use one activation, the last layer is linear (logits for the
 * cross-entropies).
 *
 * @param widths units from the inputs to the outputs: [3, 8, 8, 1] has three inputs, two hidden layers of 8 and one output
 * @param activation of the hidden layers
 */
public record NetworkSpec(List<Integer> widths, Activation activation) {
  /** A parameter vector is one Java array, and indices into it are ints. */
  private static final long MAX_PARAMETERS = Integer.MAX_VALUE - 8;

  /** Runs of equal hidden widths at least this long are written in short, 8x8 for eight times 8. */
  private static final int LONG_RUN = 5;

  public NetworkSpec {
    if (widths == null || widths.size() < 2) {
      throw new InvalidInputException("layers " + (widths == null ? "are missing" : widths.toString())
          + ": at least two widths are needed, the inputs and the outputs, like [3, 8, 1]");
    }
    for (int i = 0; i < widths.size(); i++) {
      Integer width = widths.get(i);
      if (width == null || width < 1) {
        throw new InvalidInputException("layers " + Excerpt.of(widths.toString()) + ": width " + width + " at position " + (i + 1)
            + " must be at least 1");
      }
    }
    if (activation == null) {
      throw new InvalidInputException("a network needs an activation; one of "
          + String.join(", ", NamedEnum.keys(Activation.class)));
    }
    widths = List.copyOf(widths);
    long parameters = 0;
    for (int layer = 0; layer + 1 < widths.size() && parameters <= MAX_PARAMETERS; layer++) {
      parameters += (widths.get(layer) + 1L) * widths.get(layer + 1);
    }
    if (parameters > MAX_PARAMETERS) {
      throw new InvalidInputException("layers " + Excerpt.of(widths.toString()) + " have more than the " + MAX_PARAMETERS
          + " parameters that fit one network; make them narrower");
    }
  }

  public static NetworkSpec of(Activation activation, int... widths) {
    return new NetworkSpec(IntStream.of(widths).boxed().toList(), activation);
  }

  public int inputs() {
    return widths.get(0);
  }

  public int outputs() {
    return widths.get(widths.size() - 1);
  }

  /** The number of dense layers, the output layer included: [3, 8, 8, 1] has three. */
  public int layerCount() {
    return widths.size() - 1;
  }

  /** @param index from 0, the one that reads the inputs, to {@code layerCount() - 1}, the linear output layer */
  public LayerSpec layer(int index) {
    boolean last = index == layerCount() - 1;
    return new LayerSpec(widths.get(index), widths.get(index + 1), last ? Activation.LINEAR : activation);
  }

  /** The widths in one word, long runs of hidden layers in short: 3-6-6-1, 3-8x8-1 (eight hidden layers of 8 units). */
  public String shape() {
    StringBuilder shape = new StringBuilder();
    shape.append(inputs());
    int output = widths.size() - 1;
    int i = 1;
    while (i < output) {
      int end = i;
      while (end < output && widths.get(end).equals(widths.get(i))) {
        end++;
      }
      boolean shorten = end - i >= LONG_RUN;
      shape.append('-').append(shorten ? (end - i) + "x" + widths.get(i) : widths.get(i).toString());
      i = shorten ? end : i + 1;
    }
    return shape.append('-').append(outputs()).toString();
  }
}
