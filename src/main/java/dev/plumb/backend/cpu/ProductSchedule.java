package dev.plumb.backend.cpu;

import dev.plumb.backend.ProductProbes.Product;
import dev.plumb.backend.ProductProbes.Schedule;
import dev.plumb.backend.cpu.engine.ProductSet;
import dev.plumb.backend.cpu.engine.ThreadTeam;
import java.util.List;
import java.util.function.IntConsumer;

/** A distribution of the products of a step over threads: in the tiles of a training step, or by the threads of the library. */
abstract class ProductSchedule implements Schedule {
  final ProductSet set;

  private ProductSchedule(ProductSet set) {
    this.set = set;
  }

  /** Returns the schedules for a number of threads, beginning with that of a training step. */
  static List<Schedule> of(ProductSet set, MatrixProducts products, int threads) {
    if (threads == 1) {
      return List.of(new LibraryThreads(set, "whole", 1, number -> {}));
    }
    Schedule tiles = new Tiled(set, threads);
    return products.ownThreads() == null
        ? List.of(tiles)
        : List.of(tiles, libraryThreads(set, products, threads));
  }

  /** Returns the schedule in which the library's own threads share each product. */
  static Schedule libraryThreads(ProductSet set, MatrixProducts library, int threads) {
    String name = library.doubles().name() + (threads == 1 ? "" : "'s own threads");
    return new LibraryThreads(set, name, threads, library.ownThreads());
  }

  @Override
  public List<Product> products() {
    return set.products();
  }

  /** Threads share each product in the tiles of a training step. */
  private static final class Tiled extends ProductSchedule {
    private final ThreadTeam team;

    Tiled(ProductSet set, int threads) {
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

  /** Each product is one call, shared by the library's own threads. */
  private static final class LibraryThreads extends ProductSchedule {
    private final String name;
    private final int threads;
    private final IntConsumer ownThreads;

    LibraryThreads(ProductSet set, String name, int threads, IntConsumer ownThreads) {
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
