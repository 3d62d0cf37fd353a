package dev.plumb.data;

/**
 * A table cut in two: every row is in exactly one part, in the order of the table. See {@link Table#split}.
 *
 * @param train the rows to train on
 * @param test the held-out rows, to evaluate the model on
 */
public record TableSplit(Table train, Table test) {}
