package dev.plumb.spark;

import dev.plumb.data.TextLines;
import java.util.List;

/**
 * The beginning of a CSV file.
 *
 * @param names of the columns
 */
record TextSample(TextLines format, List<String> names) {}
