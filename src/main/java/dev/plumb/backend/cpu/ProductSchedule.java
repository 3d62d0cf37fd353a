package dev.plumb.backend.cpu;

import dev.plumb.backend.ProductProbes.Product;
import dev.plumb.backend.ProductProbes.Schedule;
import dev.plumb.backend.cpu.engine.ProductSet;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import java.util.List;
import java.util.function.IntConsumer;

/** How threads share the products of a step: as steps do it, or as the library would do it by itself. */
abstract class ProductSchedule implements Schedule {
  final ProductSet set;

  private ProductSchedule(ProductSet set) {
    this.set = set;
  }

  /** The ways there are for so many threads. */
  static List<Schedule> all(ProductSet set, MatrixProducts products, int threads) {
    if (threads == 1) {
      return List.of(new Whole(set, "whole", 1, number -> {}));
    }
    Schedule tiles = new InTiles(set, threads);
    return products.ownThreads() == null
        ? List.of(tiles)
        : List.of(tiles, whole(set, products, threads));
  }

  /** By a library alone. */
  static Schedule whole(ProductSet set, MatrixProducts library, int threads) {
    String name = library.doubles().name() + (threads == 1 ? "" : "'s own threads");
    return new Whole(set, name, threads, library.ownThreads());
  }

  @Override
  public List<Product> products() {
    return set.products();
  }

  /** A team takes the tiles that a step would take. */
  private static final class InTiles extends ProductSchedule {
    private final ThreadTeam team;

    InTiles(ProductSet set, int threads) {
      super(set);
      team = new ThreadTeam(threads);
    }

    @Override
    public String name() {
      return "tiles";
    }

    @Override
    public void runStep(int times) {
      for (int i = 0; i < times; i++) {
        set.runStepInTiles(team);
      }
    }

    @Override
    public void run(Product product, int times) {
      for (int i = 0; i < times; i++) {
        set.runInTiles(product, team);
      }
    }

    @Override
    public void close() {
      team.close();
    }
  }

  /** One call a product; the library's threads, where it has more than one, share it. */
  private static final class Whole extends ProductSchedule {
    private final String name;
    private final int threads;
    private final IntConsumer ownThreads;

    Whole(ProductSet set, String name, int threads, IntConsumer ownThreads) {
      super(set);
      this.name = name;
      this.threads = threads;
      this.ownThreads = ownThreads;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void runStep(int times) {
      withThreads(times, set::runStepWhole);
    }

    @Override
    public void run(Product product, int times) {
      withThreads(times, () -> set.runWhole(product));
    }

    private void withThreads(int times, Runnable work) {
      ownThreads.accept(threads);
      try {
        for (int i = 0; i < times; i++) {
          work.run();
        }
      } finally {
        ownThreads.accept(1);
      }
    }

    @Override
    public void close() {
      // The library keeps its threads.
    }
  }
}
