package dev.plumb.examples;

import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.TableSplit;
import dev.plumb.train.TrainConfig;
import java.nio.file.Path;

/** Trains on most rows of a table whose last column is the target, and evaluates the model on the other rows. */
public final class IrisExample {
  private IrisExample() {}

  public static void main(String[] args) {
    // README
    TableSplit split = Plumb.read(Path.of(args[0])).split(0.2, 1);
    Model model = Plumb.train(split.train(), TrainConfig.DEFAULT.with(c -> c.hidden(64, 64).seed(7)));
    System.out.println("accuracy on held-out rows: " + model.score(split.test()).accuracy());
    System.out.println("first of them: " + model.predict(split.test()).className(0));
    model.save(Path.of(args[1]));
    // README
  }
}
