package dev.plumb.data;

/**
 * Encoded rows of a table whose memory was released.
 *
 * @param rows the encoded rows
 * @param table the columns of these rows that were kept
 */
public record EncodedRows(Dataset rows, Table table) {}
