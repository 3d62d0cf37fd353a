package dev.plumb.study;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/**
 * The result of one trial. After a divergence all values are NaN from that epoch on, so that they do not depend on
 * the networks trained in the same group.
 *
 * @param trial its number in the study
 * @param diverged the first epoch, from 1, in which something was not finite; 0 when all went well
 * @param seconds its share of the wall time of those that were trained together
 * @param losses [curve epoch] over all rows before that epoch's updates
 * @param gradientNorms [layer] Frobenius norms of dW in the last step, output layer included
 * @param normCurve [curve epoch x layer] likewise of each curve epoch's last step; this and the following are empty unless the
 *     study is detailed
 * @param updateRatios [layer] the norm of a further step's change of W over the norm of W
 * @param idle [hidden layer] of a relu layer the share of units that are 0 on all rows (dead), of a sigmoid or tanh layer the
 *     share of values within 0.01 (of tanh's 2: 0.02) of their limits (saturated); NaN for others
 * @param scores of a study on a table, those that {@link StudyData.Table#scoreNames} lists; otherwise empty
 */
public record TrialRow(int trial, int diverged, double seconds, double finalLoss, double[] losses, double[] gradientNorms,
    float[] normCurve, float[] updateRatios, float[] idle, double[] scores) {

  private static final String FIELDS = ",";
  private static final String VALUES = " ";
  private static final int FIELD_COUNT = 9;
  private static final double[] NO_SCORES = {};

  /** Creates the row of a trial without scores. */
  public TrialRow(int trial, int diverged, double seconds, double finalLoss, double[] losses, double[] gradientNorms,
      float[] normCurve, float[] updateRatios, float[] idle) {
    this(trial, diverged, seconds, finalLoss, losses, gradientNorms, normCurve, updateRatios, idle, NO_SCORES);
  }

  TrialRow withSeconds(double other) {
    return new TrialRow(trial, diverged, other, finalLoss, losses, gradientNorms, normCurve, updateRatios, idle, scores);
  }

  public OptionalInt divergedAtEpoch() {
    return diverged == 0 ? OptionalInt.empty() : OptionalInt.of(diverged);
  }

  /** Returns the epoch whose parameters were scored, for a study on a table. */
  public double bestEpoch() {
    return scores[1];
  }

  public double gradientNormFirst() {
    return gradientNorms[0];
  }

  /** Returns the gradient norm of the last hidden layer; NaN if there is none. */
  public double gradientNormLast() {
    return gradientNorms.length < 2 ? Double.NaN : gradientNorms[gradientNorms.length - 2];
  }

  /**
   * Returns the factor by which the gradient norm falls from each hidden layer to the one before it, as a geometric mean from the
   * last to the first; below 1 if it grows. NaN for fewer than two hidden layers, and if a norm is not above 0.
   *
   * @param epoch index of the epoch among the curve epochs
   */
  public double fallPerLayer(int epoch) {
    int hidden = gradientNorms.length - 1;
    double fall = hidden < 2 ? Double.NaN : normAt(epoch, hidden - 1) / normAt(epoch, 0);
    return fall > 0 && fall < Double.POSITIVE_INFINITY ? Math.pow(fall, 1.0 / (hidden - 1)) : Double.NaN;
  }

  /** @param epoch index of the epoch among the curve epochs */
  public double normAt(int epoch, int layer) {
    return normCurve[epoch * gradientNorms.length + layer];
  }

  /** Returns a line of a run file without its line feed: numbers that read back to the same bits, then a checksum of them. */
  String line() {
    String text = String.join(FIELDS, Integer.toString(trial), Integer.toString(diverged), Double.toString(seconds),
        Double.toString(finalLoss), doubles(losses), doubles(gradientNorms), floats(normCurve), floats(updateRatios), floats(idle))
        + (scores.length == 0 ? "" : FIELDS + doubles(scores));
    return text + FIELDS + checksum(text);
  }

  /**
   * Reads a line of a run file.
   *
   * @throws IllegalArgumentException when it is not such a line, or not of a network of the study
   */
  static TrialRow parse(String line, Study study) {
    int end = line.lastIndexOf(FIELDS);
    if (end < 0 || !checksum(line.substring(0, end)).equals(line.substring(end + 1))) {
      throw new IllegalArgumentException("its checksum is wrong");
    }
    String[] fields = line.substring(0, end).split(FIELDS, -1);
    int count = FIELD_COUNT + (study.table().isPresent() ? 1 : 0);
    if (fields.length != count) {
      throw new IllegalArgumentException("it has " + fields.length + " fields");
    }
    TrialRow row = new TrialRow(Integer.parseInt(fields[0]), Integer.parseInt(fields[1]), Double.parseDouble(fields[2]),
        Double.parseDouble(fields[3]), doubles(fields[4]), doubles(fields[5]), floats(fields[6]), floats(fields[7]), floats(fields[8]),
        count == FIELD_COUNT ? NO_SCORES : doubles(fields[FIELD_COUNT]));
    row.requireOf(study);
    return row;
  }

  private void requireOf(Study study) {
    if (trial < 0 || trial >= study.trials()) {
      throw new IllegalArgumentException("network " + trial + " is not one of the study's " + study.trials());
    }
    int epochs = study.training().epochs();
    if (diverged < 0 || diverged > epochs) {
      throw new IllegalArgumentException("it diverged in epoch " + diverged + " of " + epochs);
    }
    if (!(seconds >= 0 && seconds < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("it took " + seconds + " s");
    }
    int layers = study.cellOf(trial).network().layerCount();
    int curve = study.curveEpochs().size();
    requireCount("losses", losses.length, curve);
    requireCount("gradient norms", gradientNorms.length, layers);
    boolean detailed = study.isDetailed();
    requireCount("gradient norms by epoch", normCurve.length, detailed ? curve * layers : 0);
    requireCount("update-to-weight ratios", updateRatios.length, detailed ? layers : 0);
    requireCount("dead or saturated shares", idle.length, detailed ? layers - 1 : 0);
    requireCount("scores", scores.length, study.table().map(table -> table.scoreNames().size()).orElse(0));
  }

  private static void requireCount(String list, int count, int needed) {
    if (count != needed) {
      throw new IllegalArgumentException("it has " + count + " " + list + ", but the study has " + needed);
    }
  }

  private static String checksum(String text) {
    CRC32 crc = new CRC32();
    for (int i = 0; i < text.length(); i++) {
      crc.update(text.charAt(i));
    }
    return Long.toHexString(crc.getValue());
  }

  private static String doubles(double[] values) {
    return Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(VALUES));
  }

  private static String floats(float[] values) {
    return IntStream.range(0, values.length).mapToObj(i -> Float.toString(values[i])).collect(Collectors.joining(VALUES));
  }

  private static double[] doubles(String field) {
    return field.isEmpty() ? new double[0] : Arrays.stream(field.split(VALUES)).mapToDouble(Double::parseDouble).toArray();
  }

  private static float[] floats(String field) {
    String[] words = field.isEmpty() ? new String[0] : field.split(VALUES);
    return array(words.length, i -> Float.parseFloat(words[i]));
  }

  static float[] array(int length, IntToDoubleFunction value) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) value.applyAsDouble(i);
    }
    return values;
  }
}
