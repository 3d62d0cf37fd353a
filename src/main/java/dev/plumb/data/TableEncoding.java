package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How the columns of a table become the numbers that a network takes, and what its outputs mean. Everything in it was learned from
 * the training rows only; other tables are encoded with it as they are. Columns are found by name: their order does not matter,
 * and there may be others.
 *
 * @param naValues words that stand for a missing value in text files, as for {@link TextFormat}
 * @param header whether the columns had names in the text file of the training, rather than numbers by their place; empty for other
 *     files
 */
public record TableEncoding(List<FeatureColumn> features, TargetEncoding target, Optional<List<String>> naValues,
    Optional<Boolean> header) {
  public TableEncoding {
    features = List.copyOf(features);
    naValues = naValues.map(List::copyOf);
  }

  /** An encoding with the usual words for missing values. */
  public TableEncoding(List<FeatureColumn> features, TargetEncoding target) {
    this(features, target, Optional.empty(), Optional.empty());
  }

  public TableEncoding withNaValues(Optional<List<String>> newNaValues) {
    return new TableEncoding(features, target, newNaValues, header);
  }

  /**
   * Learns from the training rows: means and standard deviations (the population's, as scikit-learn's StandardScaler has them),
   * categories, classes.
   *
   * @param options resolved on the whole table, lest a part of it be taken for another task
   * @throws InvalidInputException when a column cannot be learnt from
   */
  public static TableEncoding fit(Table training, EncodingOptions options) {
    return new EncodingFit(training, options.resolve(training)).encoding();
  }

  public Task task() {
    return target instanceof TargetEncoding.Classes ? Task.CLASSIFICATION : Task.REGRESSION;
  }

  /** The width of the network's first layer. */
  public int inputs() {
    return features.stream().mapToInt(FeatureColumn::inputs).sum();
  }

  /** The width of the network's last layer: classes, or target columns. */
  public int outputs() {
    return target.outputs();
  }

  /** The same for a loss: binary_cross_entropy tells two classes apart by one output, the second class's. */
  public int outputs(Loss loss) {
    return isOneAnswer(loss) ? 1 : outputs();
  }

  /**
   * Returns the options to read a file with, so that its columns are read as those of the training were.
   *
   * @param base with what is known of the file besides; its own words for missing values win
   */
  public ReadOptions readOptions(ReadOptions base) {
    Map<String, ColumnKind> kinds = new HashMap<>();
    for (FeatureColumn feature : features) {
      kinds.put(feature.name(), feature instanceof FeatureColumn.Categorical categorical ? kind(categorical.categories())
          : ColumnKind.NUMBERS);
    }
    for (String name : target.names()) {
      kinds.put(name, target instanceof TargetEncoding.Classes classes ? kind(classes.classNames()) : ColumnKind.NUMBERS);
    }
    Set<String> names = features.stream().map(FeatureColumn::name).collect(Collectors.toSet());
    ReadOptions options = base.withTextColumns(Set.of()).withSchema(new ColumnSchema(kinds, names, header));
    return base.format().naValues().isPresent() || naValues.isEmpty() ? options : options.withNaValues(naValues.get());
  }

  private static ColumnKind kind(List<String> names) {
    return names.stream().allMatch(CsvColumn::isNumber) ? ColumnKind.NUMERALS : ColumnKind.TEXT;
  }

  /** Features and targets: classes, or numbers that were standardized. */
  public Dataset encode(Table table) {
    return encode(table, task() == Task.CLASSIFICATION ? Loss.CROSS_ENTROPY : Loss.MSE);
  }

  /**
   * Features and targets as a loss wants them: for binary_cross_entropy classes become 0 and 1, one number for two classes, else
   * one a class.
   *
   * @throws InvalidInputException when a column is not there, a value is missing or of another kind, or a class is not known
   */
  public Dataset encode(Table table, Loss loss) {
    double[] x = encodedFeatures(table);
    if (target instanceof TargetEncoding.Classes classes) {
      Column column = column(table, classes.name());
      int[] labels = new ClassNames(classes.classNames()).labels(column, table);
      if (loss == Loss.CROSS_ENTROPY) {
        return Dataset.adoptClasses(inputs(), outputs(), x, labels);
      }
      int width = outputs(loss);
      HeapBudget.requireArray(table.rows(), width);
      double[] y = new double[table.rows() * width];
      for (int row = 0; row < labels.length; row++) {
        if (width == 1) {
          y[row] = labels[row];
        } else {
          y[row * width + labels[row]] = 1;
        }
      }
      return Dataset.adoptTargets(inputs(), width, x, y);
    }
    return Dataset.adoptTargets(inputs(), outputs(), x, encodedTargets(table, (TargetEncoding.Numbers) target));
  }

  /**
   * The same, refusing what a precision cannot hold.
   *
   * @throws InvalidInputException as {@link #encode(Table, Loss)}, and when an encoded value is beyond the range of the precision
   */
  public Dataset encode(Table table, Loss loss, Precision precision) {
    Dataset encoded = encode(table, loss);
    requireInRange(encoded, table, precision);
    return encoded;
  }

  /** {@link #encodeFeatures(Table)}, refusing what a precision cannot hold. */
  public Dataset encodeFeatures(Table table, Precision precision) {
    Dataset encoded = encodeFeatures(table);
    requireInRange(encoded, table, precision);
    return encoded;
  }

  /** Names the column whose value in a row is the farthest from those of the training, with the value, for a message. */
  public String mostExtremeValue(Table table, int row) {
    Dataset encoded = encodeFeatures(table.rows(new int[] {row}));
    int farthest = 0;
    for (int input = 1; input < encoded.features(); input++) {
      farthest = Math.abs(encoded.feature(0, input)) > Math.abs(encoded.feature(0, farthest)) ? input : farthest;
    }
    Column column = table.column(feature(farthest).name());
    return "row " + table.sourceRow(row) + ", where column \"" + column.name() + "\" is " + column.text(row);
  }

  private void requireInRange(Dataset encoded, Table table, Precision precision) {
    double limit = precision == Precision.FP64 ? Double.MAX_VALUE : Float.MAX_VALUE;
    int targets = encoded.hasClasses() ? 0 : encoded.outputs();
    for (int row = 0; row < encoded.rows(); row++) {
      for (int input = 0; input < encoded.features(); input++) {
        if (!(Math.abs(encoded.feature(row, input)) <= limit)) {
          throw outOfRange(table.column(feature(input).name()), table, row, precision);
        }
      }
      for (int output = 0; output < targets; output++) {
        if (!(Math.abs(encoded.target(row, output)) <= limit)) {
          throw outOfRange(table.column(target.names().get(output)), table, row, precision);
        }
      }
    }
  }

  private static InvalidInputException outOfRange(Column column, Table table, int row, Precision precision) {
    return new InvalidInputException("row " + table.sourceRow(row) + ": " + column.number(row) + " in column \"" + column.name()
        + "\" is beyond the range of " + precision.key() + " when it is encoded; correct it, or leave the row out"
        + (precision == Precision.FP64 ? "" : " (a model trained with --precision fp64 has a wider range)"));
  }

  private FeatureColumn feature(int input) {
    int first = 0;
    for (FeatureColumn feature : features) {
      first += feature.inputs();
      if (input < first) {
        return feature;
      }
    }
    throw new IndexOutOfBoundsException(input);
  }

  /** Features alone, to predict from: the targets need not be there, and are 0. */
  public Dataset encodeFeatures(Table table) {
    HeapBudget.requireArray(table.rows(), outputs());
    return Dataset.adoptTargets(inputs(), outputs(), encodedFeatures(table), new double[table.rows() * outputs()]);
  }

  /**
   * What a regression's outputs mean, in the targets' own units.
   *
   * @param outputs [rows x outputs] row-major; not changed
   * @throws IllegalStateException when the targets are classes
   */
  public double[] decodeOutputs(double[] outputs) {
    if (!(target instanceof TargetEncoding.Numbers numbers)) {
      throw new IllegalStateException("the outputs are of classes");
    }
    double[] mean = numbers.mean();
    double[] scale = numbers.scale();
    double[] decoded = new double[outputs.length];
    for (int i = 0; i < outputs.length; i++) {
      decoded[i] = outputs[i] * scale[i % scale.length] + mean[i % mean.length];
    }
    return decoded;
  }

  /** How many values of each column have a category that training did not; columns without such values are not there. */
  public Map<String, Integer> unknownCategories(Table table) {
    Map<String, Integer> unknown = new TreeMap<>();
    for (FeatureColumn feature : features) {
      if (feature instanceof FeatureColumn.Categorical categorical) {
        Column column = column(table, feature.name());
        ClassNames known = new ClassNames(categorical.categories());
        int count = (int) IntStream.range(0, table.rows())
            .filter(row -> !column.isMissing(row) && known.place(column.text(row)) < 0).count();
        if (count > 0) {
          unknown.put(feature.name(), count);
        }
      }
    }
    return unknown;
  }

  private boolean isOneAnswer(Loss loss) {
    return loss == Loss.BINARY_CROSS_ENTROPY && target instanceof TargetEncoding.Classes classes && classes.outputs() == 2;
  }

  private double[] encodedFeatures(Table table) {
    requireNamedAlike(table);
    int inputs = inputs();
    HeapBudget.requireArray(table.rows(), inputs);
    double[] x = new double[table.rows() * inputs];
    int first = 0;
    for (FeatureColumn feature : features) {
      Column column = column(table, feature.name());
      if (feature instanceof FeatureColumn.Numeric numeric) {
        requireNumbers(column, table);
        for (int row = 0; row < table.rows(); row++) {
          double number = column.number(row);
          if (Double.isNaN(number)) {
            number = numeric.fill().orElseThrow(() -> missing(table, column));
          }
          x[row * inputs + first] = (number - numeric.mean()) / numeric.scale();
        }
      } else if (feature instanceof FeatureColumn.Categorical categorical) {
        ClassNames known = new ClassNames(categorical.categories());
        for (int row = 0; row < table.rows(); row++) {
          String word = column.text(row);
          int place = known.place(word != null ? word : categorical.fill().orElseThrow(() -> missing(table, column)));
          if (place >= 0) {
            x[row * inputs + first + place] = 1;
          }
        }
      }
      first += feature.inputs();
    }
    return x;
  }

  /** Names that are numbers by place mean other columns than the same names in a file's first line. */
  private void requireNamedAlike(Table table) {
    if (header.isPresent() && table.header().isPresent() && !header.equals(table.header())) {
      throw new InvalidInputException(header.get()
          ? "has no line with the names of its columns, but the model was trained with names: " + QuotedText.of(features.get(0).name())
              + (features.size() > 1 ? ", ..." : "") + "; add it, or say that line 1 has them (--header yes)"
          : "has names of columns in line 1, but the model was trained on a file without names; leave the line out, or say that it is"
              + " a row (--header no)");
    }
  }

  private static double[] encodedTargets(Table table, TargetEncoding.Numbers numbers) {
    double[] mean = numbers.mean();
    double[] scale = numbers.scale();
    double[] y = new double[table.rows() * mean.length];
    for (int i = 0; i < mean.length; i++) {
      Column column = column(table, numbers.names().get(i));
      requireNumbers(column, table);
      for (int row = 0; row < table.rows(); row++) {
        if (column.isMissing(row)) {
          throw missing(table, column);
        }
        y[row * mean.length + i] = (column.number(row) - mean[i]) / scale[i];
      }
    }
    return y;
  }

  private static Column column(Table table, String name) {
    try {
      return table.column(name);
    } catch (InvalidInputException e) {
      throw table.has(name) ? e : new InvalidInputException(e.getMessage() + "; the model was trained with it", e);
    }
  }

  private static void requireNumbers(Column column, Table table) {
    if (!column.isNumeric()) {
      int row = IntStream.range(0, column.rows()).filter(i -> !column.isMissing(i)).findFirst().orElse(0);
      throw new InvalidInputException("column \"" + column.name() + "\" has words (row " + table.sourceRow(row) + ": \""
          + column.text(row) + "\"), but the model was trained on numbers there");
    }
  }

  /** The first row of the column without a value. */
  private static InvalidInputException missing(Table table, Column column) {
    int row = IntStream.range(0, column.rows()).filter(column::isMissing).findFirst().orElseThrow();
    return new InvalidInputException("row " + table.sourceRow(row) + " has no value in column \"" + column.name()
        + "\"" + column.missingNote() + "; leave such rows out, or train with missing values filled in (--missing " + Missing.MEAN.key() + ")");
  }
}
