package dev.plumb.cli;

import java.util.Map;

/**
 * Counts of the rows that a cluster has scored.
 *
 * @param rows number of rows
 * @param unknown by column, number of values that do not occur in the training data; only columns with such values
 * @param replaced by column, number of missing values that a value replaces, unmarked; only columns with such values
 * @param notFinite number of rows without a prediction because the outputs are not finite
 * @param firstNotFinite description of the first of them that was reported; empty if there is none
 */
public record ScoringResult(long rows, Map<String, Long> unknown, Map<String, Long> replaced, long notFinite,
    String firstNotFinite) {}
