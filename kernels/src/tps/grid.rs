//! The spline of a regular grid, in overlapping sub-domains, factorised once.
//!
//! The system of a spline depends on where its points are, not on their values. On a regular grid all
//! sub-domains of one size have the same points but for a shift, so that one inverse serves them all.
//! With it, the spline's values at the targets are a matrix times the values at the nodes: a field
//! costs a few products of small matrices with vectors.
//!
//! Nodes without a value need no system of their own. A point that is left out has weight zero; the
//! weights are `w = B y`, with `B` the inverse's block for the points, so the values that the
//! spline itself would take at the nodes left out solve `B_mm y_m = -B_mk y_k` (m: missing, k: known). `B` is
//! positive semi-definite, and `B_mm` definite if the known nodes bear a spline: Cholesky decides.

use super::{axis, basis, check_smoothing, system};
use crate::{PivError, lanes};
use nalgebra::{DMatrix, DVector};

/// Places along one axis: `count` of them, `step` apart from `start` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The first place, px.
    pub start: f64,
    /// The distance between neighbours, px.
    pub step: f64,
    /// How many places there are.
    pub count: usize,
}

impl Axis {
    /// The places in units of another axis' steps, from its first place.
    fn relative_to(&self, other: &Axis) -> Vec<f64> {
        (0..self.count).map(|i| (self.start + i as f64 * self.step - other.start) / other.step).collect()
    }
}

/// Interpolates and smooths the displacements on one grid to another; made once, one for each worker.
///
/// ```
/// use terzetto_kernels::tps::{Axis, GridSpline};
///
/// let nodes = Axis { start: 16.0, step: 16.0, count: 5 };
/// let targets = Axis { start: 8.0, step: 8.0, count: 11 };
/// let mut spline = GridSpline::new([nodes, nodes], [targets, targets], 0.0, 200)?;
/// let values: Vec<[f64; 2]> = (0..25).map(|i| [(i % 5) as f64, 2.0]).collect();
/// let mut found = vec![[0.0; 2]; 121];
/// spline.apply(&values, &[false; 25], &mut found);
/// assert!((found[0][0] + 0.5).abs() < 1e-4, "a plane goes on beyond the nodes");
/// assert!((found[60][0] - 2.0).abs() < 1e-4 && (found[60][1] - 2.0).abs() < 1e-4);
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
pub struct GridSpline {
    /// Nodes in a row of the grid.
    columns: usize,
    nodes: usize,
    /// Targets in a row.
    target_columns: usize,
    targets: usize,
    /// Nodes in a row of a tile, and rows.
    size: [usize; 2],
    tiles: [Vec<axis::Tile>; 2],
    /// The inverse's block for the nodes of a tile.
    weights: DMatrix<f64>,
    /// From values at a tile's nodes to the spline at its targets, row by row: all that differ.
    operators: Vec<Vec<f32>>,
    /// Which operator each tile uses, tile by tile in a row.
    operator_of: Vec<usize>,
    local: Local,
}

/// The values of one tile; `f64` for the missing, which are solved for, `f32` for the products, which are
/// weighted means and keep their six digits.
struct Local {
    values: [Vec<f64>; 2],
    single: [Vec<f32>; 2],
    missing: Vec<usize>,
}

impl GridSpline {
    /// A spline from the nodes to the targets, axes x and y each. `smoothing` is in units of the square of the
    /// nodes' step, 0 to pass through the values; a sub-domain holds about `subdomain` nodes.
    ///
    /// # Errors
    /// [`PivError::Parameter`] for a smoothing or sub-domain that makes no sense, [`PivError::Spline`] if the
    /// grid has less than two rows or columns.
    pub fn new(
        nodes: [Axis; 2],
        targets: [Axis; 2],
        smoothing: f64,
        subdomain: usize,
    ) -> Result<GridSpline, PivError> {
        check_smoothing(smoothing)?;
        let good = (9..=2000).contains(&subdomain);
        PivError::check(good, "spline.subdomain", subdomain, "9 to 2000 vectors")?;
        let counts = nodes.map(|axis| axis.count);
        if counts.iter().any(|&count| count < 2) {
            return Err(PivError::Spline { points: counts[0] * counts[1] });
        }
        let size = tile_size(counts, subdomain);
        let places = [0, 1].map(|i| targets[i].relative_to(&nodes[i]));
        let tiles = [0, 1].map(|i| axis::tiles(counts[i], size[i], &places[i]));
        let points: Vec<[f64; 2]> =
            (0..size[0] * size[1]).map(|i| [(i % size[0]) as f64, (i / size[0]) as f64]).collect();
        let count = points.len();
        let inverse = system(&points, smoothing).try_inverse().ok_or(PivError::Spline { points: count })?;
        let mut shapes: Vec<[Vec<f64>; 2]> = Vec::new();
        let mut operators = Vec::new();
        let mut operator_of = Vec::new();
        for row in &tiles[1] {
            for column in &tiles[0] {
                let shape = [local(column, &places[0]), local(row, &places[1])];
                let known = shapes.iter().position(|other| is_same(other, &shape));
                operator_of.push(known.unwrap_or(shapes.len()));
                if known.is_none() {
                    operators.push(operator(&points, &inverse, &shape));
                    shapes.push(shape);
                }
            }
        }
        Ok(GridSpline {
            columns: counts[0],
            nodes: counts[0] * counts[1],
            target_columns: targets[0].count,
            targets: targets[0].count * targets[1].count,
            size,
            tiles,
            weights: inverse.view((0, 0), (count, count)).into_owned(),
            operators,
            operator_of,
            local: Local {
                values: [vec![0.0; count], vec![0.0; count]],
                single: [vec![0.0; count], vec![0.0; count]],
                missing: Vec::with_capacity(count),
            },
        })
    }

    /// The spline at the targets through values at the nodes, both row by row. Nodes `left_out` have no say;
    /// their values are used only in a tile whose other nodes do not bear a spline.
    ///
    /// # Panics
    /// If a slice has not the size of its grid.
    pub fn apply(&mut self, values: &[[f64; 2]], left_out: &[bool], found: &mut [[f64; 2]]) {
        assert!(values.len() == self.nodes && left_out.len() == self.nodes, "nodes of another grid");
        assert_eq!(found.len(), self.targets, "targets of another grid");
        found.fill([0.0; 2]);
        let [columns, rows] = &self.tiles;
        for (index, &operator) in self.operator_of.iter().enumerate() {
            let (column, row) = (&columns[index % columns.len()], &rows[index / columns.len()]);
            let first = row.start * self.columns + column.start;
            self.local.gather(values, left_out, first, self.columns, self.size);
            self.local.solve_missing(&self.weights);
            self.local.round();
            let mut lines = self.operators[operator].chunks_exact(self.size[0] * self.size[1]);
            for (target_row, row_weight) in row.targets.clone().zip(&row.weights) {
                let targets = &mut found[target_row * self.target_columns..][column.targets.clone()];
                for ((target, weight), line) in targets.iter_mut().zip(&column.weights).zip(&mut lines) {
                    for (value, single) in target.iter_mut().zip(&self.local.single) {
                        *value += row_weight * weight * f64::from(lanes::dot(line, single));
                    }
                }
            }
        }
    }
}

impl Local {
    fn gather(
        &mut self,
        values: &[[f64; 2]],
        left_out: &[bool],
        first: usize,
        columns: usize,
        size: [usize; 2],
    ) {
        self.missing.clear();
        for index in 0..size[0] * size[1] {
            let node = first + index / size[0] * columns + index % size[0];
            for (local, value) in self.values.iter_mut().zip(values[node]) {
                local[index] = value;
            }
            if left_out[node] {
                self.missing.push(index);
            }
        }
    }

    /// Gives the missing nodes the values at which they bend nothing.
    fn solve_missing(&mut self, weights: &DMatrix<f64>) {
        let missing = &self.missing;
        if missing.is_empty() || missing.len() + 3 > weights.nrows() {
            return;
        }
        let block = DMatrix::from_fn(missing.len(), missing.len(), |i, j| weights[(missing[i], missing[j])]);
        let Some(cholesky) = block.cholesky() else { return };
        for values in &mut self.values {
            let mut right = DVector::zeros(missing.len());
            missing.iter().for_each(|&index| values[index] = 0.0);
            for (value, &index) in right.iter_mut().zip(missing) {
                *value = -weights.column(index).iter().zip(values.iter()).map(|(a, b)| a * b).sum::<f64>();
            }
            cholesky.solve_mut(&mut right);
            for (&index, &value) in missing.iter().zip(&right) {
                values[index] = value;
            }
        }
    }

    fn round(&mut self) {
        for (single, values) in self.single.iter_mut().zip(&self.values) {
            single.iter_mut().zip(values).for_each(|(single, &value)| *single = value as f32);
        }
    }
}

/// The sides of a tile of about `subdomain` nodes, as square as the grid allows.
fn tile_size([columns, rows]: [usize; 2], subdomain: usize) -> [usize; 2] {
    let side = (subdomain as f64).sqrt();
    let along = |count: usize, across: usize| {
        let length = subdomain as f64 / side.min(across as f64);
        (length.round() as usize).clamp(3.min(count), count)
    };
    [along(columns, rows), along(rows, columns)]
}

/// A tile's targets from its first node on, in steps of the nodes.
fn local(tile: &axis::Tile, places: &[f64]) -> Vec<f64> {
    places[tile.targets.clone()].iter().map(|place| place - tile.start as f64).collect()
}

fn is_same(one: &[Vec<f64>; 2], other: &[Vec<f64>; 2]) -> bool {
    one.iter().zip(other).all(|(one, other)| {
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-9)
    })
}

/// For each target the weights of a tile's nodes.
fn operator(points: &[[f64; 2]], inverse: &DMatrix<f64>, [xs, ys]: &[Vec<f64>; 2]) -> Vec<f32> {
    let places: Vec<[f64; 2]> = ys.iter().flat_map(|&y| xs.iter().map(move |&x| [x, y])).collect();
    let count = points.len();
    // One column a target, which is one row of the operator once it is flattened.
    let functions = DMatrix::from_iterator(
        count + 3,
        places.len(),
        places.iter().flat_map(|&[x, y]| basis(points, x, y)),
    );
    // The system is symmetric, and so is its inverse.
    let weights = inverse.rows(0, count) * functions;
    weights.iter().map(|&weight| weight as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::ThinPlateSpline, *};

    const NODES: Axis = Axis { start: 10.0, step: 4.0, count: 9 };
    const TARGETS: Axis = Axis { start: 8.0, step: 2.0, count: 19 };

    fn values() -> Vec<[f64; 2]> {
        let mut rng = fastrand::Rng::with_seed(5);
        (0..81).map(|i| [(i as f64 * 0.37).sin() * 3.0, rng.f64()]).collect()
    }

    fn node(index: usize) -> [f64; 2] {
        [10.0 + 4.0 * (index % 9) as f64, 10.0 + 4.0 * (index / 9) as f64]
    }

    /// The grid's spline and the spline of the scattered points agree, whatever is left out.
    #[test]
    fn one_subdomain_equals_the_general_spline() {
        let values = values();
        for (holes, smoothing) in
            [(vec![], 0.0), (vec![], 0.8), (vec![0, 40, 41, 50], 0.0), (vec![3, 80], 0.5)]
        {
            let mut grid = GridSpline::new([NODES; 2], [TARGETS; 2], smoothing, 100).unwrap();
            let left_out: Vec<bool> = (0..81).map(|index| holes.contains(&index)).collect();
            let mut found = vec![[0.0; 2]; 19 * 19];
            grid.apply(&values, &left_out, &mut found);
            let kept = (0..81).filter(|index| !holes.contains(index));
            let (points, kept): (Vec<_>, Vec<_>) = kept.map(|index| (node(index), values[index])).unzip();
            let general = ThinPlateSpline::fit(&points, &kept, smoothing * 16.0).unwrap();
            for (index, found) in found.iter().enumerate() {
                let (x, y) = (8.0 + 2.0 * (index % 19) as f64, 8.0 + 2.0 * (index / 19) as f64);
                let wanted = general.at(x, y);
                let near = |i: usize| (found[i] - wanted[i]).abs() < 2e-4;
                assert!(near(0) && near(1), "{holes:?} {smoothing} at {x} {y}: {found:?} for {wanted:?}");
            }
        }
    }

    #[test]
    fn subdomains_agree_with_the_whole_on_a_smooth_field() {
        let axis = |count, step, start| Axis { start, step, count };
        let (nodes, targets) = (axis(40, 16.0, 15.5), axis(80, 8.0, 7.5));
        let flow = |x: f64, y: f64| [(x / 90.0).sin() * 4.0, (y / 70.0).cos() * 3.0];
        let places = |axis: Axis| -> Vec<[f64; 2]> {
            let at = |i: usize| axis.start + axis.step * i as f64;
            (0..axis.count.pow(2)).map(|i| [at(i % axis.count), at(i / axis.count)]).collect()
        };
        let values: Vec<_> = places(nodes).iter().map(|&[x, y]| flow(x, y)).collect();
        let mut left_out = vec![false; values.len()];
        [5, 801, 802, 803, 1599].iter().for_each(|&index| left_out[index] = true);
        let mut spline = GridSpline::new([nodes; 2], [targets; 2], 0.0, 200).unwrap();
        assert!(spline.operators.len() < spline.operator_of.len(), "tiles share operators");
        let mut found = vec![[0.0; 2]; 6400];
        spline.apply(&values, &left_out, &mut found);
        for (found, [x, y]) in found.iter().zip(places(targets)) {
            let wanted = flow(x, y);
            let inside = [x, y].iter().all(|place| (20.0..630.0).contains(place));
            let tolerance = if inside { 0.01 } else { 0.1 };
            assert!((found[0] - wanted[0]).abs() < tolerance, "at {x}, {y}: {found:?} for {wanted:?}");
        }
    }

    #[test]
    fn a_tile_without_values_keeps_those_it_was_given() {
        let mut grid = GridSpline::new([NODES; 2], [NODES; 2], 0.0, 100).unwrap();
        let mut found = vec![[0.0; 2]; 81];
        grid.apply(&[[2.5, -1.0]; 81], &[true; 81], &mut found);
        assert!(found.iter().all(|value| (value[0] - 2.5).abs() < 1e-4 && (value[1] + 1.0).abs() < 1e-4));
    }

    #[test]
    fn grids_and_parameters_that_bear_nothing_are_refused() {
        let line = Axis { count: 1, ..NODES };
        assert!(GridSpline::new([NODES, line], [NODES, line], 0.0, 100).is_err());
        assert!(GridSpline::new([NODES; 2], [NODES; 2], -1.0, 100).is_err());
        assert!(GridSpline::new([NODES; 2], [NODES; 2], 0.0, 3).is_err());
    }
}
