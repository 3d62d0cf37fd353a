package dev.plumb.train;

import dev.plumb.data.Dataset;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One metric of a model for labeled rows, with the features as they are or with the values of one column permuted among the rows.
 * The rows are encoded once; a piece of them at a time is copied to be permuted. Belongs to the thread of its predictor.
 */
public final class PermutedScoring {
  private final TablePredictor predictor;
  private final Metric metric;
  private final Table table;
  private final Dataset rows;
  private final List<Dataset> pieces;
  private final double[] weights;
  /** [rows] true classes, or [target][row] true numbers; the other is null. */
  private final int[] classes;
  private final double[][] numbers;

  PermutedScoring(TablePredictor predictor, Metric metric, Table table, Dataset rows, double[] weights) {
    Task task = predictor.model().encoding().task();
    this.predictor = predictor;
    this.metric = metric;
    this.table = table;
    this.rows = rows;
    this.weights = weights;
    pieces = predictor.pieces(rows);
    classes = task == Task.CLASSIFICATION ? predictor.model().encoding().labels(table) : null;
    numbers = task == Task.CLASSIFICATION ? null : predictor.numbers(table);
  }

  public Metric metric() {
    return metric;
  }

  /** Returns the number of rows. */
  public int rows() {
    return rows.rows();
  }

  /** Returns the feature columns in the order of the network's inputs. */
  public List<FeatureColumn> features() {
    return predictor.model().encoding().features();
  }

  /**
   * Scores the rows as they are.
   *
   * @return NaN where the metric is undefined
   * @throws InvalidInputException when a row cannot be computed
   */
  public double score() {
    return score(pieces);
  }

  /**
   * Scores the rows with one column permuted; all inputs of the column are permuted together.
   *
   * @param feature index of the column in {@link #features}
   * @param order [rows] the row from which each row gets its value
   * @return NaN where the metric is undefined
   * @throws InvalidInputException when a row cannot be computed
   */
  public double score(int feature, int[] order) {
    int first = features().subList(0, feature).stream().mapToInt(FeatureColumn::inputs).sum();
    int inputs = features().get(feature).inputs();
    // All pieces but the last have the same number of rows.
    int pieceRows = pieces.get(0).rows();
    List<Dataset> permuted = new AbstractList<>() {
      @Override
      public Dataset get(int index) {
        Dataset piece = pieces.get(index);
        int from = index * pieceRows;
        return piece.withColumns(first, inputs, rows, Arrays.copyOfRange(order, from, from + piece.rows()));
      }

      @Override
      public int size() {
        return pieces.size();
      }
    };
    try {
      return score(permuted);
    } catch (InvalidInputException e) {
      throw e.at("with column \"" + features().get(feature).name() + "\" permuted");
    }
  }

  private double score(List<Dataset> chosen) {
    if (metric == Metric.LOSS) {
      return loss(chosen);
    }
    if (classes != null) {
      return predictor.classMetrics(table, classes, chosen, weights).value(metric);
    }
    double[][] predicted = predictor.numbers(table, chosen);
    return IntStream.range(0, numbers.length)
        .mapToDouble(target -> RegressionScores.Errors.of(numbers[target], predicted[target], weights).value(metric)).sum()
        / numbers.length;
  }

  private double loss(List<Dataset> chosen) {
    double sum = 0;
    double total = 0;
    int first = 0;
    for (Dataset piece : chosen) {
      double[] own = IntStream.range(first, first + piece.rows()).mapToDouble(rows::weight).toArray();
      double weight = Arrays.stream(own).sum();
      sum += weight * predictor.loss(rows.hasWeights() ? piece.withWeights(own) : piece);
      total += weight;
      first += piece.rows();
    }
    return sum / total;
  }
}
