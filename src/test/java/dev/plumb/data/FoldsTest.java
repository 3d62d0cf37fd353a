package dev.plumb.data;

import static dev.plumb.data.Refusals.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.data.Folds.Fold;
import dev.plumb.model.InvalidInputException;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FoldsTest {
  private static final int TABLES = 200;

  @Test
  void everyRowIsTestedOnceInEachRepeat() {
    for (long seed = 0; seed < TABLES; seed++) {
      Random random = new Random(seed);
      Table table = numbers(4 + random.nextInt(100), random);
      int count = 2 + random.nextInt(3);
      List<Fold> folds = folds(table, options(count, 2), seed);
      assertEquals(2 * count, folds.size());
      for (int repeat = 1; repeat <= 2; repeat++) {
        List<Fold> ofRepeat = folds.subList((repeat - 1) * count, repeat * count);
        assertArrayEquals(IntStream.range(0, table.rows()).toArray(),
            ofRepeat.stream().flatMapToInt(fold -> Arrays.stream(fold.test())).sorted().toArray(), "seed " + seed);
        for (int i = 0; i < count; i++) {
          Fold fold = ofRepeat.get(i);
          assertEquals(repeat, fold.repeat());
          assertEquals(i + 1, fold.number());
          assertArrayEquals(IntStream.range(0, table.rows()).toArray(),
              IntStream.concat(Arrays.stream(fold.training()), Arrays.stream(fold.test())).sorted().toArray());
          assertAscending(fold.training());
          assertAscending(fold.test());
        }
        assertTrue(spread(ofRepeat.stream().mapToInt(fold -> fold.test().length)) <= 1, "seed " + seed);
      }
    }
  }

  @Test
  void rowsAreDealtInTheOrderOfOnePermutationPerRepeat() {
    Table table = numbers(11, new Random(5));
    List<Fold> folds = folds(table, options(3, 2), 7);
    NumpyRandom stream = new NumpyRandom(7);
    for (int repeat = 0; repeat < 2; repeat++) {
      int[] order = stream.permutation(11);
      for (int fold = 0; fold < 3; fold++) {
        int first = fold;
        assertArrayEquals(IntStream.range(0, 11).filter(i -> i % 3 == first).map(i -> order[i]).sorted().toArray(),
            folds.get(3 * repeat + fold).test());
      }
    }
  }

  @Test
  void classCountsOfTwoFoldsDifferByAtMostOne() {
    for (long seed = 0; seed < TABLES; seed++) {
      Random random = new Random(seed);
      int count = 2 + random.nextInt(5);
      int classes = 2 + random.nextInt(4);
      int rows = classes * count + random.nextInt(100);
      String[] names = IntStream.range(0, rows)
          .mapToObj(row -> "c" + (row < classes * count ? row % classes : random.nextInt(random.nextInt(classes) + 1)))
          .toArray(String[]::new);
      Table table = Table.of(List.of(numbers(rows, random).column("x"), Column.ofText("class", names)));
      List<Fold> folds = folds(table, options(count, 1), seed);
      for (String name : new TreeSet<>(List.of(names))) {
        assertTrue(spread(folds.stream().mapToInt(fold -> (int) Arrays.stream(fold.test()).filter(row ->
            names[row].equals(name)).count())) <= 1, "seed " + seed);
      }
      assertTrue(spread(folds.stream().mapToInt(fold -> fold.test().length)) <= 1, "seed " + seed);
    }
  }

  @Test
  void noGroupIsInTwoFoldsAndTheirSizesAreBalanced() {
    for (long seed = 0; seed < TABLES; seed++) {
      Random random = new Random(seed);
      int rows = 10 + random.nextInt(100);
      int count = 2 + random.nextInt(3);
      double[] groups = IntStream.range(0, rows).mapToDouble(row -> row < count ? row : random.nextInt(12)).toArray();
      Table table = Table.of(List.of(Column.ofNumbers("g", groups), numbers(rows, random).column("x"),
          Column.ofText("y", IntStream.range(0, rows).mapToObj(row -> row % 2 == 0 ? "a" : "b").toArray(String[]::new))));
      List<Fold> folds = folds(table, new FoldOptions(count, 2, Optional.of("g"), Optional.empty()), seed);
      assertEquals(2 * count, folds.size());
      long largest = Arrays.stream(groups).boxed().collect(Collectors.groupingBy(group -> group, Collectors.counting())).values()
          .stream().mapToLong(Long::longValue).max().orElseThrow();
      for (int repeat = 0; repeat < 2; repeat++) {
        List<Fold> ofRepeat = folds.subList(repeat * count, (repeat + 1) * count);
        assertArrayEquals(IntStream.range(0, rows).toArray(),
            ofRepeat.stream().flatMapToInt(fold -> Arrays.stream(fold.test())).sorted().toArray());
        for (Fold fold : ofRepeat) {
          Set<Double> tested = Arrays.stream(fold.test()).mapToObj(row -> groups[row]).collect(Collectors.toSet());
          assertFalse(Arrays.stream(fold.training()).anyMatch(row -> tested.contains(groups[row])), "seed " + seed);
          assertTrue(fold.test().length > 0, "seed " + seed);
        }
        assertTrue(spread(ofRepeat.stream().mapToInt(fold -> fold.test().length)) <= largest, "seed " + seed);
      }
    }
  }

  @Test
  void largestGroupsComeFirst() {
    // Sizes 4, 3, 2, 1 into two folds: 4 | 3, 4 | 3+2, 4+1 | 5.
    int[] groups = {0, 0, 0, 0, 1, 1, 1, 2, 2, 3};
    assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1, 1, 1, 0}, Folds.byGroup(groups, 2, new int[] {3, 1, 0, 2}));
    // Of equal sizes, the permutation decides.
    assertArrayEquals(new int[] {1, 0, 0}, Folds.byGroup(new int[] {0, 1, 2}, 2, new int[] {1, 0, 2}));
  }

  @Test
  void trainingRowsAreEarlierThanTestRows() {
    int divided = 0;
    for (long seed = 0; seed < TABLES; seed++) {
      Random random = new Random(seed);
      int rows = 10 + random.nextInt(100);
      int distinct = 5 + random.nextInt(60);
      double[] times = IntStream.range(0, rows).mapToDouble(row -> random.nextInt(distinct)).toArray();
      Table table = Table.of(List.of(Column.ofNumbers("t", times), numbers(rows, random).column("x"),
          Column.ofNumbers("y", times)));
      List<Fold> folds;
      try {
        folds = folds(table, new FoldOptions(3, 1, Optional.empty(), Optional.of("t")), seed);
      } catch (InvalidInputException e) {
        assertTrue(e.getMessage().startsWith("--time: too many rows have the same time for 3 folds"), e.getMessage());
        continue;
      }
      divided++;
      Set<Integer> tested = new TreeSet<>();
      for (Fold fold : folds) {
        assertAscending(fold.training());
        assertAscending(fold.test());
        double last = Arrays.stream(fold.training()).mapToDouble(row -> times[row]).max().orElseThrow();
        double first = Arrays.stream(fold.test()).mapToDouble(row -> times[row]).min().orElseThrow();
        assertTrue(last < first, "seed " + seed + ": " + last + " and " + first);
        // All earlier rows are trained on.
        assertEquals(Arrays.stream(times).filter(time -> time < first).count(), fold.training().length);
        Arrays.stream(fold.test()).forEach(row -> assertTrue(tested.add(row)));
      }
      assertEquals(rows - folds.get(0).training().length, tested.size(), "seed " + seed);
    }
    assertTrue(divided > TABLES / 2, divided + " tables were divided");
  }

  /** The expected rows are those of scikit-learn's TimeSeriesSplit(n_splits=3) for 11 rows. */
  @Test
  void blocksOfDistinctTimesAreThoseOfScikitLearn() {
    int[] times = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    List<Fold> folds = Folds.byTime(times, 3);
    int[][] tests = {{5, 6}, {7, 8}, {9, 10}};
    for (int i = 0; i < 3; i++) {
      int end = tests[i][0];
      assertArrayEquals(Arrays.stream(tests[i]).map(position -> 10 - position).sorted().toArray(), folds.get(i).test());
      assertArrayEquals(IntStream.range(0, end).map(position -> 10 - position).sorted().toArray(), folds.get(i).training());
    }
  }

  @Test
  void textTimesAreSortedByTheirCharacters() {
    Table table = Table.of(List.of(Column.ofText("date", "2024-03-01", "2023-12-31", "2024-01-15", "2024-01-15"),
        Column.ofNumbers("x", 1, 2, 3, 4), Column.ofNumbers("y", 1, 2, 3, 5)));
    List<Fold> folds = folds(table, new FoldOptions(2, 1, Optional.empty(), Optional.of("date")), 0);
    assertArrayEquals(new int[] {1}, folds.get(0).training());
    assertArrayEquals(new int[] {2, 3}, folds.get(0).test());
    assertArrayEquals(new int[] {0}, folds.get(1).test());
  }

  @Test
  void columnOfGroupsIsNotAFeatureUnlessItIsNamed() {
    Table table = Table.of(new double[][] {{1, 2, 3}, {4, 5, 6}}, "g", "x", "y");
    FoldOptions options = new FoldOptions(2, 1, Optional.of("g"), Optional.empty());
    assertEquals(List.of("x"), options.resolve(table, EncodingOptions.DEFAULT, RowWeights.NONE).features());
    assertEquals(List.of("g", "x"), options.resolve(table, EncodingOptions.DEFAULT.withFeatures("g", "x"), RowWeights.NONE).features());
    assertEquals(List.of("x"), options.resolve(table, EncodingOptions.DEFAULT.withCategorical("g"), RowWeights.NONE).features());
    assertEquals(List.of("x"), options.resolve(table, EncodingOptions.DEFAULT.withExcluded("g"), RowWeights.NONE).features());
    EncodingOptions last =
        new FoldOptions(2, 1, Optional.of("y"), Optional.empty()).resolve(table, EncodingOptions.DEFAULT, RowWeights.NONE);
    assertEquals(List.of("x"), last.targets());
    assertEquals(List.of("g"), last.features());
    assertRefused("--time: column \"y\" is the target; name another column", () ->
        new FoldOptions(2, 1, Optional.empty(), Optional.of("y"))
            .resolve(table, EncodingOptions.DEFAULT.withTargets("y"), RowWeights.NONE));
    assertRefused("--group: there is no column \"h\" (did you mean \"g\"?); the columns are \"g\", \"x\", \"y\"", () ->
        new FoldOptions(2, 1, Optional.of("h"), Optional.empty()).resolve(table, EncodingOptions.DEFAULT, RowWeights.NONE));
    assertRefused("has only one column, \"y\", and no feature to learn from", () ->
        new FoldOptions(2, 1, Optional.of("x"), Optional.empty())
            .resolve(Table.of(new double[][] {{1, 2}}, "x", "y"), EncodingOptions.DEFAULT, RowWeights.NONE));
  }

  @Test
  void columnsOfGroupsAndWeightsAreBothLeftOut() {
    Table table = Table.of(new double[][] {{1, 2, 3, 4}, {4, 5, 6, 7}}, "x", "y", "w", "g");
    RowWeights weights = new RowWeights(Optional.of("w"), Optional.empty());
    EncodingOptions resolved = new FoldOptions(2, 1, Optional.of("g"), Optional.empty()).resolve(table, EncodingOptions.DEFAULT, weights);
    assertEquals(List.of("y"), resolved.targets());
    assertEquals(List.of("x"), resolved.features());
    assertEquals(List.of("y"), new FoldOptions(2, 1, Optional.of("w"), Optional.empty())
        .resolve(table, EncodingOptions.DEFAULT.withExcluded("g").withTargets("y"), weights).targets());
  }

  @Test
  void impossibleFoldsAreRefused() {
    Table table = Table.of(List.of(Column.ofNumbers("g", 1, 1, 2, Double.NaN), Column.ofNumbers("x", 1, 2, 3, 4),
        Column.ofText("y", "a", "b", "a", "a")));
    assertRefused("there are 5 folds, but only 4 rows; use --folds 4 or fewer", () -> folds(table, options(5, 1), 0));
    assertRefused("class \"b\" of column \"y\" has 1 row, fewer than the 2 folds; leave the class out", () ->
        folds(table, options(2, 1), 0));
    assertRefused("--group: row 4: column \"g\" has no value; every row needs a group", () ->
        folds(table, new FoldOptions(2, 1, Optional.of("g"), Optional.empty()), 0));
    assertRefused("--time: row 4: column \"g\" has no value; every row needs a time", () ->
        folds(table, new FoldOptions(2, 1, Optional.empty(), Optional.of("g")), 0));
    assertRefused("--group: there are 3 folds, but only 2 groups; use --folds 2 or fewer", () ->
        folds(table.rows(new int[] {0, 1, 2}), new FoldOptions(3, 1, Optional.of("g"), Optional.empty()), 0));
    assertRefused("--time: too many rows have the same time for 2 folds: fold 1 would have no earlier rows to train on; use fewer"
        + " --folds", () -> folds(table.rows(new int[] {0, 1, 2}), new FoldOptions(2, 1, Optional.empty(), Optional.of("g")), 0));
    assertRefused("--time: 4 folds need at least 5 rows, but there are 4; use --folds 3 or fewer", () ->
        folds(table, new FoldOptions(4, 1, Optional.empty(), Optional.of("x")), 0));
    assertRefused("folds 1 must be at least 2", () -> options(1, 1));
    assertRefused("repeats 0 must be at least 1", () -> options(2, 0));
    assertRefused("--repeats: the folds of --time are the same in every repeat; omit the option", () ->
        new FoldOptions(2, 2, Optional.empty(), Optional.of("t")));
    assertRefused("--group: cannot be combined with --time; choose one of them", () ->
        new FoldOptions(2, 1, Optional.of("g"), Optional.of("t")));
  }

  private static FoldOptions options(int folds, int repeats) {
    return new FoldOptions(folds, repeats, Optional.empty(), Optional.empty());
  }

  private static List<Fold> folds(Table table, FoldOptions options, long seed) {
    return Folds.of(table, options.resolve(table, EncodingOptions.DEFAULT, RowWeights.NONE), options, new NumpyRandom(seed));
  }

  /** Returns a table of numbers x and y. */
  private static Table numbers(int rows, Random random) {
    double[][] values = new double[rows][];
    Arrays.setAll(values, row -> new double[] {random.nextGaussian(), random.nextGaussian()});
    return Table.of(values, "x", "y");
  }

  private static int spread(IntStream counts) {
    int[] sorted = counts.sorted().toArray();
    return sorted[sorted.length - 1] - sorted[0];
  }

  private static void assertAscending(int[] rows) {
    assertArrayEquals(Arrays.stream(rows).sorted().toArray(), rows);
  }
}
