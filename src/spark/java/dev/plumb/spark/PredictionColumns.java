package dev.plumb.spark;

import dev.plumb.data.FeatureColumn;
import dev.plumb.data.RowTable;
import dev.plumb.model.InvalidInputException;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Predictions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/** The columns that a model reads, and those that it adds: the target's name and probability_CLASS, or the targets' names. */
final class PredictionColumns {
  private static final String PREFIX = "predicted_";

  private PredictionColumns() {}

  /**
   * Returns the names of the added columns, different from those that are there.
   *
   * @throws InvalidInputException when there is a column of a name and of predicted_NAME
   */
  static List<String> names(TrainedModel model, List<String> input) {
    TreeSet<String> taken = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    taken.addAll(input);
    List<String> wanted = new ArrayList<>(model.encoding().target().names());
    model.classNames().forEach(name -> wanted.add("probability_" + name));
    List<String> names = new ArrayList<>();
    for (String name : wanted) {
      if (taken.add(name)) {
        names.add(name);
      } else if (taken.add(PREFIX + name)) {
        names.add(PREFIX + name);
      } else {
        throw new InvalidInputException("has the columns \"" + name + "\" and \"" + PREFIX + name
            + "\", so there is no name for the prediction; rename or remove one of them");
      }
    }
    return names;
  }

  /**
   * Returns a schema with the added columns.
   *
   * @param place name of the rows for messages
   * @throws InvalidInputException as for {@link #positions} and {@link #names}
   */
  static StructType checkedSchema(TrainedModel model, StructType input, String place) {
    try {
      positions(model, input);
      return schema(model, input);
    } catch (InvalidInputException e) {
      throw e.at(place);
    }
  }

  private static StructType schema(TrainedModel model, StructType input) {
    StructType schema = input;
    List<String> names = names(model, Arrays.asList(input.fieldNames()));
    for (int i = 0; i < names.size(); i++) {
      boolean isClass = i == 0 && !model.classNames().isEmpty();
      schema = schema.add(names.get(i), isClass ? DataTypes.StringType : DataTypes.DoubleType, true);
    }
    return schema;
  }

  /**
   * Returns the position of each feature.
   *
   * @throws InvalidInputException when one is missing, or of another type than that of the training data
   */
  static int[] positions(TrainedModel model, StructType input) {
    List<String> names = Arrays.asList(input.fieldNames());
    RowTable.requireColumns(model.encoding(), names);
    int[] positions = model.encoding().features().stream().mapToInt(feature -> names.indexOf(feature.name())).toArray();
    for (int i = 0; i < positions.length; i++) {
      String name = model.encoding().features().get(i).name();
      if (names.lastIndexOf(name) != positions[i]) {
        throw new InvalidInputException("two columns have the name \"" + name + "\"; names must be unique");
      }
      requireType(model.encoding().features().get(i), input.fields()[positions[i]].dataType());
    }
    return positions;
  }

  private static void requireType(FeatureColumn feature, DataType type) {
    boolean isNumeric = feature instanceof FeatureColumn.Numeric;
    boolean isText = type instanceof StringType || type instanceof BooleanType;
    if (!(type instanceof NumericType) && (isNumeric || !isText)) {
      throw new InvalidInputException("column \"" + feature.name() + "\" is of type " + type.simpleString()
          + ", but the model was trained on " + (isNumeric ? "numbers" : "text") + " there; cast it to "
          + (isNumeric ? "double" : "string"));
    }
  }

  /** Returns the values of the added columns; null where the outputs of the network are not finite. */
  static void put(Predictions predictions, int row, Object[] values, int first) {
    if (!predictions.isFinite(row)) {
      return;
    }
    if (!predictions.hasClasses()) {
      for (int target = 0; target < predictions.targetNames().size(); target++) {
        values[first + target] = predictions.number(row, target);
      }
      return;
    }
    values[first] = predictions.className(row);
    for (int c = 0; c < predictions.classNames().size(); c++) {
      values[first + 1 + c] = predictions.probability(row, c);
    }
  }

  /** Returns the number of added columns. */
  static int count(TrainedModel model) {
    return model.encoding().target().names().size() + model.classNames().size();
  }
}
