package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Encodes tables as data sets, block by block. Values are computed in double and rounded once. */
final class DatasetEncoder {
  private final TableEncoding encoding;
  private final List<FeatureColumn> features;
  private final int inputs;
  private final Precision precision;
  private final Precision held;
  private final double limit;

  /**
   * Creates an encoder.
   *
   * @param precision in whose range the values must be
   * @param held precision in which features are held
   */
  DatasetEncoder(TableEncoding encoding, Precision precision, Precision held) {
    this.encoding = encoding;
    this.precision = precision;
    this.held = held;
    features = encoding.features();
    inputs = encoding.inputs();
    limit = precision == Precision.FP64 ? Double.MAX_VALUE : Float.MAX_VALUE;
  }

  /** Encodes features only; the targets are 0. */
  Dataset features(Table table) {
    HeapBudget.requireArray(table.rows(), encoding.outputs());
    FeatureMatrix x = new Part(table).encoded();
    return Dataset.adopt(inputs, encoding.outputs(), x, new double[table.rows() * encoding.outputs()], null);
  }

  /** Encodes all blocks and keeps none. */
  void requireEncodable(Table table, Loss loss) {
    Part part = new Part(table);
    while (!part.isEncoded()) {
      part.encodeBlock();
      part.x.drop(part.block - 1);
    }
    dataset(part.x, table, loss);
  }

  /** Encodes features and targets for a loss. */
  Dataset encode(Table table, Loss loss) {
    return dataset(new Part(table).encoded(), table, loss);
  }

  /**
   * Encodes parts of a table side by side, in the order of its rows.
   *
   * @param parts with rows in ascending order, all of the same table
   * @param onEncoded called with a number of rows of the table after these have been encoded
   * @param targets the rows of each part with the target columns
   */
  List<Dataset> encode(List<Table> parts, List<Table> targets, Loss loss, IntConsumer onEncoded) {
    List<Part> open = new ArrayList<>(parts.stream().map(Part::new).toList());
    List<FeatureMatrix> encoded = open.stream().map(part -> part.x).toList();
    while (!open.isEmpty()) {
      Part next = open.get(0);
      for (Part part : open) {
        next = part.nextRow() < next.nextRow() ? part : next;
      }
      next.encodeBlock();
      if (next.isEncoded()) {
        open.remove(next);
      }
      open.stream().mapToInt(Part::nextRow).min().ifPresent(onEncoded);
    }
    return IntStream.range(0, parts.size()).mapToObj(i -> dataset(encoded.get(i), targets.get(i), loss)).toList();
  }

  private Dataset dataset(FeatureMatrix x, Table table, Loss loss) {
    if (!(encoding.target() instanceof TargetEncoding.Classes classes)) {
      return Dataset.adopt(inputs, encoding.outputs(), x, targets(table, (TargetEncoding.Numbers) encoding.target()), null);
    }
    Column column = FeatureChecks.column(table, classes.name());
    int[] labels = new ClassNames(classes.classNames()).labels(column, table);
    if (loss == Loss.CROSS_ENTROPY) {
      return Dataset.adopt(inputs, encoding.outputs(), x, null, labels);
    }
    int width = encoding.outputs(loss);
    HeapBudget.requireArray(table.rows(), width);
    double[] y = new double[table.rows() * width];
    for (int row = 0; row < labels.length; row++) {
      if (width == 1) {
        y[row] = labels[row];
      } else {
        y[row * width + labels[row]] = 1;
      }
    }
    return Dataset.adopt(inputs, width, x, y, null);
  }

  private double[] targets(Table table, TargetEncoding.Numbers numbers) {
    double[] mean = numbers.mean();
    double[] scale = numbers.scale();
    double[] y = new double[table.rows() * mean.length];
    for (int i = 0; i < mean.length; i++) {
      Column column = FeatureChecks.column(table, numbers.names().get(i));
      FeatureChecks.requireNumbers(column, table);
      for (int row = 0; row < table.rows(); row++) {
        if (column.isMissing(row)) {
          throw ClassNames.missingTarget(table, column, row);
        }
        double encoded = (column.number(row) - mean[i]) / scale[i];
        requireInRange("target", encoded, row, i, column, table);
        y[row * mean.length + i] = encoded;
      }
    }
    return y;
  }

  /** Checks a value before it is rounded. */
  private void requireInRange(String what, double encoded, int row, int index, Column column, Table table) {
    if (Math.abs(encoded) <= limit) {
      return;
    }
    if (!Double.isFinite(encoded)) {
      throw Dataset.notFinite(what, row, index, encoded);
    }
    throw new InvalidInputException("row " + table.sourceRow(row) + ": " + column.number(row) + " in column \"" + column.name()
        + "\" is outside the range of " + precision.key() + " after encoding; correct it or remove the row"
        + (precision == Precision.FP64 ? "" : " (a model trained with --precision fp64 has a wider range)"));
  }

  /** A table while its features are encoded. */
  private final class Part {
    final Table table;
    final FeatureMatrix x;
    private final Column[] columns;
    private final ClassNames[] categories;
    private int block;

    Part(Table table) {
      this.table = table;
      new FeatureChecks(encoding).requireSameHeader(table);
      HeapBudget.requireArray(table.rows(), inputs);
      x = FeatureMatrix.unwritten(table.rows(), inputs, held);
      columns = new Column[features.size()];
      categories = new ClassNames[features.size()];
      for (int i = 0; i < columns.length; i++) {
        columns[i] = FeatureChecks.column(table, features.get(i).name());
        if (features.get(i) instanceof FeatureColumn.Categorical categorical) {
          categories[i] = new ClassNames(categorical.categories());
        } else {
          FeatureChecks.requireNumbers(columns[i], table);
        }
      }
    }

    boolean isEncoded() {
      return block == x.blockCount();
    }

    /** Returns the index in the table of the next row to encode. */
    int nextRow() {
      return isEncoded() ? Integer.MAX_VALUE : table.sourceRow(x.first(block)) - 1;
    }

    FeatureMatrix encoded() {
      while (!isEncoded()) {
        encodeBlock();
      }
      return x;
    }

    void encodeBlock() {
      x.allocate(block);
      int input = 0;
      for (int i = 0; i < columns.length; i++) {
        if (features.get(i) instanceof FeatureColumn.Numeric numeric) {
          encode(numeric, columns[i], input);
        } else if (features.get(i) instanceof FeatureColumn.Categorical categorical) {
          encode(categorical, columns[i], categories[i], input);
        }
        input += features.get(i).inputs();
      }
      block++;
    }

    private void encode(FeatureColumn.Numeric numeric, Column column, int input) {
      double mean = numeric.mean();
      double scale = numeric.scale();
      int end = x.end(block);
      for (int row = x.first(block); row < end; row++) {
        double number = column.number(row);
        if (Double.isNaN(number)) {
          number = numeric.fill().orElseThrow(() -> FeatureChecks.missing(table, column));
          if (numeric.indicator()) {
            x.set(row, input + 1, 1);
          }
        }
        double value = (number - mean) / scale;
        if (!(Math.abs(value) <= limit)) {
          requireInRange("feature", value, row, input, column, table);
        }
        x.set(row, input, value);
      }
    }

    private void encode(FeatureColumn.Categorical categorical, Column column, ClassNames known, int input) {
      int end = x.end(block);
      for (int row = x.first(block); row < end; row++) {
        String text = column.text(row);
        int category = text == null && categorical.indicator() ? categorical.categories().size()
            : known.index(text != null ? text : categorical.fill().orElseThrow(() -> FeatureChecks.missing(table, column)));
        if (category >= 0) {
          x.set(row, input + category, 1);
        }
      }
    }
  }
}
