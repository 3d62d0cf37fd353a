package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.Precision;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Encoding of a table's columns as network inputs and targets, and decoding of outputs. It is fitted to the training rows only
 * and applied unchanged to other tables. Columns are found by name; their order does not matter, and other columns are ignored.
 *
 * @param features encodings of the feature columns
 * @param target encoding of the target columns
 * @param naValues texts that mark a missing value in text files, as for {@link TextFormat}; empty for the default
 * @param header whether the training data's text file had a header; empty for other files
 */
public record TableEncoding(List<FeatureColumn> features, TargetEncoding target, Optional<List<String>> naValues,
    Optional<Boolean> header) {
  /**
   * Copies the lists.
   *
   * @param features encodings of the feature columns
   * @param target encoding of the target columns
   * @param naValues texts that mark a missing value in text files, as for {@link TextFormat}; empty for the default
   * @param header whether the training data's text file had a header; empty for other files
   */
  public TableEncoding {
    features = List.copyOf(features);
    naValues = naValues.map(List::copyOf);
  }

  /**
   * Creates an encoding with the default markers of missing values.
   *
   * @param features encodings of the feature columns
   * @param target encoding of the target columns
   */
  public TableEncoding(List<FeatureColumn> features, TargetEncoding target) {
    this(features, target, Optional.empty(), Optional.empty());
  }

  /**
   * Returns this encoding with other markers of missing values.
   *
   * @param newNaValues texts; empty for the default
   * @return the changed encoding
   */
  public TableEncoding withNaValues(Optional<List<String>> newNaValues) {
    return new TableEncoding(features, target, newNaValues, header);
  }

  /**
   * Fits an encoding to the training rows: means and standard deviations (of the population, as in scikit-learn's
   * StandardScaler), categories and classes.
   *
   * @param training rows
   * @param options resolved on the whole table, so that the task does not depend on the split
   * @return the encoding
   * @throws InvalidInputException when a column has no values, too many categories or too few classes
   */
  public static TableEncoding fit(Table training, EncodingOptions options) {
    return new EncodingFit(training, options.resolve(training)).encoding();
  }

  /**
   * Returns the task.
   *
   * @return classification when the target is a column of classes
   */
  public Task task() {
    return target instanceof TargetEncoding.Classes ? Task.CLASSIFICATION : Task.REGRESSION;
  }

  /**
   * Returns the number of network inputs.
   *
   * @return sum over the features
   */
  public int inputs() {
    return features.stream().mapToInt(FeatureColumn::inputs).sum();
  }

  /**
   * Returns the number of classes or target columns.
   *
   * @return at least 1
   */
  public int outputs() {
    return target.outputs();
  }

  /**
   * Returns the number of network outputs for a loss.
   *
   * @param loss of the training
   * @return 1 for binary_cross_entropy with two classes, whose only output is the second class's; otherwise {@link #outputs()}
   */
  public int outputs(Loss loss) {
    return hasSingleOutput(loss) ? 1 : outputs();
  }

  /**
   * Returns options for reading a file whose columns get the same types as in training.
   *
   * @param base options of the file; its own markers of missing values take precedence
   * @return the complete options
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

  /**
   * Encodes features and targets: classes, or numbers.
   *
   * @param table with all feature and target columns
   * @return the data set
   * @throws InvalidInputException when a column does not exist, a value is missing or has the wrong type, or a class is unknown
   */
  public Dataset encode(Table table) {
    return encode(table, task() == Task.CLASSIFICATION ? Loss.CROSS_ENTROPY : Loss.MSE);
  }

  /**
   * Encodes features and targets for a loss. For binary_cross_entropy, classes become 0 and 1: one number for two classes,
   * otherwise one per class.
   *
   * @param table with all feature and target columns
   * @param loss of the training
   * @return the data set
   * @throws InvalidInputException when a column does not exist, a value is missing or has the wrong type, or a class is unknown
   */
  public Dataset encode(Table table, Loss loss) {
    return encode(table, loss, Precision.FP64);
  }

  /**
   * Encodes features and targets for a loss, checks that they are in the range of a precision, and rounds the features to it.
   *
   * @param table with all feature and target columns
   * @param loss of the training
   * @param precision of the training
   * @return the data set
   * @throws InvalidInputException as {@link #encode(Table, Loss)}, and when an encoded value is outside the range of the
   *     precision
   */
  public Dataset encode(Table table, Loss loss, Precision precision) {
    return encode(table, loss, precision, precision);
  }

  /**
   * Encodes features and targets for a loss, and holds the features in another precision than that of the training.
   *
   * @param table with all feature and target columns
   * @param loss of the training
   * @param precision of the training
   * @param held precision in which features are held: FP64 for a device that computes in double in every precision
   * @return the data set
   * @throws InvalidInputException as {@link #encode(Table, Loss, Precision)}
   */
  public Dataset encode(Table table, Loss loss, Precision precision, Precision held) {
    return new DatasetEncoder(this, precision, held).encode(table, loss);
  }

  /**
   * Encodes parts of a table, and releases the memory of the table on the way, so that it is never held together with all of its
   * encoded values. The table must not be used afterwards, apart from the columns to keep.
   *
   * @param parts with rows in ascending order, all of the same table
   * @param kept columns to keep; those of the targets are always kept
   * @param loss of the training
   * @param precision of the training
   * @param held precision in which features are held
   * @return the data set and the kept columns of each part
   * @throws InvalidInputException as {@link #encode(Table, Loss, Precision)}
   */
  public List<EncodedRows> encodeAndRelease(List<Table> parts, Set<String> kept, Loss loss, Precision precision, Precision held) {
    ReleasedTable released = new ReleasedTable(parts, kept, target.names());
    List<Dataset> encoded = new DatasetEncoder(this, precision, held).encode(parts, released.kept(), loss, released::release);
    return IntStream.range(0, parts.size()).mapToObj(i -> new EncodedRows(encoded.get(i), released.kept().get(i))).toList();
  }

  /**
   * Encodes features only, checks that they are in the range of a precision, and rounds them to it.
   *
   * @param table with all feature columns
   * @param precision of the computation
   * @return data whose targets are 0
   * @throws InvalidInputException as {@link #encodeFeatures(Table)}, and when an encoded value is outside the range of the
   *     precision
   */
  public Dataset encodeFeatures(Table table, Precision precision) {
    return encodeFeatures(table, precision, precision);
  }

  /**
   * Encodes features only, and holds them in another precision than that of the computation.
   *
   * @param table with all feature columns
   * @param precision of the computation
   * @param held precision in which features are held
   * @return data whose targets are 0
   * @throws InvalidInputException as {@link #encodeFeatures(Table, Precision)}
   */
  public Dataset encodeFeatures(Table table, Precision precision, Precision held) {
    return new DatasetEncoder(this, precision, held).features(table);
  }

  /**
   * Checks that a table can be encoded, without holding the encoded values.
   *
   * @param table with all feature and target columns
   * @param loss of the training
   * @param precision of the training
   * @throws InvalidInputException as {@link #encode(Table, Loss, Precision)}
   */
  public void requireEncodable(Table table, Loss loss, Precision precision) {
    new DatasetEncoder(this, precision, precision).requireEncodable(table, loss);
  }

  /**
   * Returns the class of each row.
   *
   * @param table with the target column
   * @return [rows] indices of class names
   * @throws InvalidInputException when a class is missing or unknown
   * @throws IllegalStateException when the targets are numbers
   */
  public int[] labels(Table table) {
    if (!(target instanceof TargetEncoding.Classes classes)) {
      throw new IllegalStateException("the targets are numbers");
    }
    return new ClassNames(classes.classNames()).labels(FeatureChecks.column(table, classes.name()), table);
  }

  /**
   * Returns a description of a row's most extreme value compared with the training rows, for messages.
   *
   * @param table with all feature columns
   * @param row from 0
   * @return row, column and value: {@code row 3, where column "age" is 1e30}
   */
  public String mostExtremeValue(Table table, int row) {
    return mostExtremeValue(table, row, encodeFeatures(table.rows(new int[] {row})), 0);
  }

  /**
   * Returns a description of a row's most extreme value compared with the training rows, for messages.
   *
   * @param table may lack the feature columns; the value is then rounded as it was for the network
   * @param row in the table, from 0
   * @param encoded data with the same row
   * @param encodedRow its index there
   * @return row, column and value: {@code row 3, where column "age" is 1e30}
   */
  public String mostExtremeValue(Table table, int row, Dataset encoded, int encodedRow) {
    return "row " + table.sourceRow(row) + ", where " + mostExtremeColumn(table, row, encoded, encodedRow);
  }

  /**
   * Returns a description of a row's most extreme value compared with the training rows, for messages about a part of a table.
   *
   * @param table with all feature columns
   * @param row from 0
   * @return column and value: {@code column "age" is 1e30}
   */
  public String mostExtremeColumn(Table table, int row) {
    return mostExtremeColumn(table, row, encodeFeatures(table.rows(new int[] {row})), 0);
  }

  private String mostExtremeColumn(Table table, int row, Dataset encoded, int encodedRow) {
    int largest = 0;
    for (int input = 1; input < encoded.features(); input++) {
      largest = Math.abs(encoded.feature(encodedRow, input)) > Math.abs(encoded.feature(encodedRow, largest)) ? input : largest;
    }
    FeatureColumn feature = feature(largest);
    String value = table.has(feature.name()) ? table.column(feature.name()).text(row)
        : feature instanceof FeatureColumn.Numeric numeric
            ? Float.toString((float) (encoded.feature(encodedRow, largest) * numeric.scale() + numeric.mean())) : "unusual";
    return "column \"" + feature.name() + "\" is " + value;
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

  /**
   * Encodes features only, for prediction. Target columns need not exist.
   *
   * @param table with all feature columns
   * @return data whose targets are 0
   * @throws InvalidInputException when a feature column does not exist, or a value is missing or has the wrong type
   */
  public Dataset encodeFeatures(Table table) {
    return encodeFeatures(table, Precision.FP64);
  }

  /**
   * Converts a regression's outputs to the units of the targets.
   *
   * @param outputs [rows x outputs] row-major; not changed
   * @return [rows x outputs] row-major
   * @throws IllegalStateException when the targets are classes
   */
  public double[] decodeOutputs(double[] outputs) {
    if (!(target instanceof TargetEncoding.Numbers numbers)) {
      throw new IllegalStateException("the outputs are classes");
    }
    double[] mean = numbers.mean();
    double[] scale = numbers.scale();
    double[] decoded = new double[outputs.length];
    for (int i = 0; i < outputs.length; i++) {
      decoded[i] = outputs[i] * scale[i % scale.length] + mean[i % mean.length];
    }
    return decoded;
  }

  /**
   * Returns the number of values per column whose category did not occur in the training rows.
   *
   * @param table with all feature columns
   * @return by column name; only columns with such values
   */
  public Map<String, Integer> unknownCategories(Table table) {
    return new FeatureChecks(this).unknownCategories(table);
  }

  /**
   * Returns the number of missing values per column that are replaced by a value, without an input that marks them.
   *
   * @param table with all feature columns
   * @return by column name; only columns with such values
   */
  public Map<String, Integer> replaced(Table table) {
    return new FeatureChecks(this).replaced(table);
  }

  private boolean hasSingleOutput(Loss loss) {
    return loss == Loss.BINARY_CROSS_ENTROPY && target instanceof TargetEncoding.Classes classes && classes.outputs() == 2;
  }
}
