package dev.plumb.data;

/**
 * Split of a table into training and test rows: every row is in exactly one part, in the order of the table. See
 * {@link Table#split}.
 *
 * @param train training rows
 * @param test held-out rows, for evaluation
 */
public record TableSplit(Table train, Table test) {}
