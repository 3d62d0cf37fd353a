package dev.plumb.check;

import dev.plumb.model.ParameterLayout;
import java.util.Optional;

/**
 * One tensor of a step, [rows x columns] row-major.
 *
 * @param name as shown in messages: layers.1.pre, layers.1.weight gradient, layers.1.bias, loss
 * @param slice its part of the flat parameter vector; empty for a tap and the loss
 */
public record StepTensor(
    Quantity quantity, String name, int layer, int rows, int columns, Optional<ParameterLayout.Slice> slice) {
  /** @param quantity PRE, NORMALIZED, POST or DELTA, [batch x units] */
  static StepTensor ofTap(Quantity quantity, int layer, int batch, int units) {
    return new StepTensor(quantity, "layers." + layer + "." + quantity.key(), layer, batch, units, Optional.empty());
  }

  static StepTensor ofLoss(int lastLayer) {
    return new StepTensor(Quantity.LOSS, Quantity.LOSS.key(), lastLayer, 1, 1, Optional.empty());
  }

  /** @param quantity GRADIENT, MOMENT1, MOMENT2 or PARAMETERS */
  static StepTensor ofSlice(Quantity quantity, ParameterLayout.Slice slice) {
    String name = slice.name() + (quantity == Quantity.PARAMETERS ? "" : " " + quantity.key());
    return new StepTensor(quantity, name, slice.layer(), slice.rows(), slice.columns(), Optional.of(slice));
  }

  /** Returns the place of an element by its flat index: [2,0], [2] in a vector, nothing in the loss. */
  public String place(int index) {
    if (quantity == Quantity.LOSS) {
      return "";
    }
    return slice.map(in -> in.place(index)).orElse("[" + index / columns + "," + index % columns + "]");
  }

  /** Returns the shape as text: 33x8, or 8 for a vector. */
  public String shape() {
    boolean vector = slice.map(ParameterLayout.Slice::isVector).orElse(quantity == Quantity.LOSS);
    return vector ? Integer.toString(rows) : rows + "x" + columns;
  }
}
