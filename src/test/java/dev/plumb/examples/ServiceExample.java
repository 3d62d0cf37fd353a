package dev.plumb.examples;

import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.train.Predictor;
import java.nio.file.Path;
import java.util.Map;

/** Predicts single rows with a saved model, as a service does. */
public final class ServiceExample {
  private ServiceExample() {}

  public static void main(String[] args) {
    Model model = Plumb.load(Path.of(args[0]));
    try (Predictor predictor = model.predictor()) {
      System.out.println(predictor.predict(5.1, 3.5, 1.4, 0.2).className(0));
      Map<String, Double> row = Map.of("sepal_length", 6.7, "sepal_width", 3.1, "petal_length", 5.6, "petal_width", 2.4);
      System.out.println(predictor.predict(row).className(0));
    }
  }
}
