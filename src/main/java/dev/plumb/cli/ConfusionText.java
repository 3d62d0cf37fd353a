package dev.plumb.cli;

import dev.plumb.train.ClassificationScores;
import dev.plumb.train.ConfusionMatrix;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A confusion matrix in plain text. */
final class ConfusionText {
  /** The maximum number of classes in a printed confusion matrix; with more, only the most frequent errors are listed. */
  private static final int MAX_TABLE_CLASSES = 100;
  private static final int MAX_ERRORS = 20;

  private ConfusionText() {}

  static void print(ClassificationScores figures, PrintStream out) {
    List<String> names = figures.classNames();
    if (names.size() > MAX_TABLE_CLASSES) {
      List<ConfusionMatrix.Cell> errors = figures.confusion().cells().stream().filter(cell -> cell.actual() != cell.predicted())
          .sorted(Comparator.comparingLong((ConfusionMatrix.Cell cell) -> -cell.count())).limit(MAX_ERRORS).toList();
      TextTable table = new TextTable().left("actual").left("predicted").right("rows");
      errors.forEach(cell -> table.row(
          List.of(names.get(cell.actual()), names.get(cell.predicted()), Long.toString(cell.count()))));
      out.println("most frequent errors:");
      table.print(out);
      return;
    }
    TextTable table = new TextTable().left("actual \\ predicted");
    names.forEach(name -> table.right(TerminalText.sanitize(name)));
    long[][] counts = figures.confusion().table();
    for (int c = 0; c < names.size(); c++) {
      List<String> cells = new ArrayList<>(List.of(names.get(c)));
      for (long count : counts[c]) {
        cells.add(Long.toString(count));
      }
      table.row(cells);
    }
    table.print(out);
  }
}
