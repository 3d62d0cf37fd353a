package dev.plumb.data;

import dev.plumb.model.InvalidInputException;
import java.nio.file.Path;

/** A program of its own, with a heap of its own: reads a file and encodes it. */
final class TableReadingProgram {
  private TableReadingProgram() {}

  public static void main(String[] arguments) {
    try {
      Table table = TableReader.read(Path.of(arguments[0]), ReadOptions.DEFAULT);
      EncodingOptions options = EncodingOptions.DEFAULT.withTask(Task.REGRESSION).resolve(table);
      System.out.println(TableEncoding.fit(table, options).encode(table).rows() + " rows");
    } catch (InvalidInputException e) {
      System.out.println(e.getMessage());
    }
  }
}
