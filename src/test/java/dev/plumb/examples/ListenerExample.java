package dev.plumb.examples;

import dev.plumb.Device;
import dev.plumb.Model;
import dev.plumb.Plumb;
import dev.plumb.data.Table;
import dev.plumb.train.EpochMetrics;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainListener;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Trains for a limited time, and prints each epoch with a new lowest loss. */
public final class ListenerExample {
  private ListenerExample() {}

  public static void main(String[] args) {
    Table table = Plumb.read(Path.of(args[0]));
    Instant deadline = Instant.now().plus(Duration.ofSeconds(10));
    Model model = Plumb.train(table, TrainConfig.DEFAULT, Device.CPU, new TrainListener() {
      @Override
      public void epochFinished(EpochMetrics epoch, boolean best) {
        if (best) {
          System.out.println("epoch " + epoch.epoch() + ": loss " + epoch.trainLoss());
        }
      }

      @Override
      public boolean stopRequested() {
        return Instant.now().isAfter(deadline);
      }
    });
    System.out.println("accuracy on the training rows: " + model.score(table).accuracy());
  }
}
