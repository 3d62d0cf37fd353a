package dev.plumb.train;

import java.util.function.Consumer;

/** Metrics of predicted classes, defined as in scikit-learn. */
final class ClassMetrics {
  /** Limit of probabilities in the logarithm: the spacing of doubles at 1, as in scikit-learn. */
  private static final double MIN_PROBABILITY = Math.ulp(1.0);

  private final int classes;
  private final int[] truth;
  private final int[] predicted;
  private final double[] truthProbabilities;
  private final double[] weights;
  /** Null once the ranking has them, since it may refer to a training session and its rows. */
  private Consumer<OneVersusRest> probabilities;
  private final double[] correct;
  private final double[] actual;
  private final double[] chosen;
  private final boolean[] occurs;
  private double total;
  private double allCorrect;
  private OneVersusRest ranking;

  /**
   * Compares predictions with the true classes.
   *
   * @param classes number of classes
   * @param truth [rows] the true class of each row, from 0
   * @param predicted [rows] the predicted class of each row, from 0
   * @param truthProbabilities [rows] the probability of each row's true class
   * @param weights [rows] of the rows, or null if all are equal
   * @param probabilities passes the probability of every row and class to {@link OneVersusRest#add}; called when a metric first
   *     needs them
   */
  ClassMetrics(int classes, int[] truth, int[] predicted, double[] truthProbabilities, double[] weights,
      Consumer<OneVersusRest> probabilities) {
    this.classes = classes;
    this.truth = truth;
    this.predicted = predicted;
    this.truthProbabilities = truthProbabilities;
    this.weights = weights;
    this.probabilities = probabilities;
    correct = new double[classes];
    actual = new double[classes];
    chosen = new double[classes];
    occurs = new boolean[classes];
    for (int row = 0; row < truth.length; row++) {
      double weight = weight(row);
      actual[truth[row]] += weight;
      chosen[predicted[row]] += weight;
      total += weight;
      if (truth[row] == predicted[row]) {
        correct[truth[row]] += weight;
        allCorrect += weight;
      }
      occurs[truth[row]] = true;
      occurs[predicted[row]] = true;
    }
  }

  /**
   * Compares predictions with the true classes.
   *
   * @param probabilities [rows x classes] row-major
   */
  static ClassMetrics of(int classes, int[] truth, double[] probabilities, int[] predicted, double[] weights) {
    double[] truthProbabilities = new double[truth.length];
    for (int row = 0; row < truth.length; row++) {
      truthProbabilities[row] = probabilities[row * classes + truth[row]];
    }
    return new ClassMetrics(classes, truth, predicted, truthProbabilities, weights, ranking -> {
      for (int c = 0; c < classes; c++) {
        for (int row = 0; row < truth.length; row++) {
          ranking.add(row, c, probabilities[row * classes + c]);
        }
      }
    });
  }

  /**
   * Returns the metrics of other predicted classes for the same rows and probabilities.
   *
   * @param otherPredicted [rows] the predicted class of each row, from 0
   */
  ClassMetrics withPredicted(int[] otherPredicted) {
    ClassMetrics metrics = new ClassMetrics(classes, truth, otherPredicted, truthProbabilities, weights, probabilities);
    metrics.ranking = ranking();
    return metrics;
  }

  int[] truth() {
    return truth;
  }

  /** Returns the weights of the rows; null if all are equal. */
  double[] weights() {
    return weights;
  }

  /** Returns the sum of the weights of the rows of each class; not copied. */
  double[] actual() {
    return actual;
  }

  int[] predicted() {
    return predicted;
  }

  /**
   * Returns the value of a metric; NaN where it is undefined.
   *
   * @throws IllegalArgumentException when the metric is not computed from predicted classes
   */
  double value(Metric metric) {
    return switch (metric) {
      case ACCURACY -> allCorrect / total;
      case BALANCED_ACCURACY -> balancedAccuracy();
      case MACRO_F1 -> macroF1();
      case LOG_LOSS -> logLoss();
      case ROC_AUC -> ranking().rocAuc();
      case PR_AUC -> ranking().averagePrecision();
      case MATTHEWS -> matthews();
      case LOSS, R2, MAE, RMSE -> throw new IllegalArgumentException("metric " + metric.key() + " of predicted classes");
    };
  }

  private double balancedAccuracy() {
    double sum = 0;
    int count = 0;
    for (int c = 0; c < classes; c++) {
      if (actual[c] > 0) {
        sum += correct[c] / actual[c];
        count++;
      }
    }
    return sum / count;
  }

  private double macroF1() {
    double sum = 0;
    int count = 0;
    for (int c = 0; c < classes; c++) {
      if (occurs[c]) {
        sum += correct[c] > 0 ? 2 * correct[c] / (actual[c] + chosen[c]) : 0;
        count++;
      }
    }
    return sum / count;
  }

  private double logLoss() {
    double sum = 0;
    for (int row = 0; row < truth.length; row++) {
      sum += weight(row) * logLoss(truthProbabilities[row]);
    }
    return sum / total;
  }

  /** Returns -ln of the probability of the true class, which is limited to [ε, 1 - ε]. */
  static double logLoss(double probability) {
    return -Math.log(Math.max(MIN_PROBABILITY, Math.min(1 - MIN_PROBABILITY, probability)));
  }

  /** Computes R_K of Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004. */
  private double matthews() {
    double both = 0;
    double actualSquares = 0;
    double chosenSquares = 0;
    for (int c = 0; c < classes; c++) {
      both += actual[c] * chosen[c];
      actualSquares += actual[c] * actual[c];
      chosenSquares += chosen[c] * chosen[c];
    }
    double variances = (total * total - chosenSquares) * (total * total - actualSquares);
    return variances == 0 ? 0 : (allCorrect * total - both) / Math.sqrt(variances);
  }

  /** Returns the ranking of all rows for each class. */
  OneVersusRest ranking() {
    if (ranking == null) {
      ranking = new OneVersusRest(classes, truth, truthProbabilities, weights);
      probabilities.accept(ranking);
      probabilities = null;
    }
    return ranking;
  }

  double weight(int row) {
    return weights == null ? 1 : weights[row];
  }
}
