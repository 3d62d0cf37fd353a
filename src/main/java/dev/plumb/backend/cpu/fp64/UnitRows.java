package dev.plumb.backend.cpu.fp64;

/** Values of a layer, with the samples of each unit next to each other: [units][samples], or [units x samples] in one array. */
final class UnitRows {
  /** Null for one array. */
  private final double[][] rows;
  private final double[] matrix;

  private UnitRows(double[][] rows, double[] matrix) {
    this.rows = rows;
    this.matrix = matrix;
  }

  /** @param rows [units][samples] */
  static UnitRows of(double[][] rows) {
    return new UnitRows(rows, null);
  }

  /** @param matrix [units x samples] */
  static UnitRows of(double[] matrix) {
    return new UnitRows(null, matrix);
  }

  /** Returns the arrays [units][samples]; null if all values are in one array. */
  double[][] rows() {
    return rows;
  }

  /** Returns the array that contains the samples of a unit, from index {@link #at} on. */
  double[] array(int unit) {
    return rows == null ? matrix : rows[unit];
  }

  /** Returns the index of the first of a unit's samples. */
  int at(int unit, int samples) {
    return rows == null ? unit * samples : 0;
  }
}
