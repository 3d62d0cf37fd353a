package dev.plumb.examples;

import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Table;
import dev.plumb.train.Predictions;
import dev.plumb.train.TrainConfig;
import java.nio.file.Path;

/** Trains on a table whose last column is to be learnt, and says what it predicts for the first row. */
public final class IrisExample {
  private IrisExample() {}

  public static void main(String[] args) {
    // README
    Table table = Plumb.read(Path.of(args[0]));
    Model model = Plumb.train(table, TrainConfig.DEFAULT.with(c -> c.hidden(64, 64).seed(7)));
    Predictions predictions = model.predict(table);
    System.out.println(predictions.className(0) + ", accuracy " + model.score(table).metric());
    model.save(Path.of(args[1]));
    // README
  }
}
