package dev.plumb.train;

/**
 * A score of a model next to that of its baseline.
 *
 * @param label for tables: "Brier score"
 * @param value NaN where it is undefined
 * @param baseline NaN where it is undefined, and if the model's file contains no baseline
 */
public record Figure(String label, double value, double baseline) {}
