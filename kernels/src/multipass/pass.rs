//! One pass: every window of the grid, two at a time.

use super::{
    grid::Grid,
    look::Look,
    params::{PassParams, Region},
    window::{Content, Frame},
};
use crate::{
    PivError,
    correlation::{CorrelationMap, CorrelationMethod, Correlator, Couple, Peak},
    field::{Flags, Vector, VectorField},
    subpixel::{Fit, SubpixelParams},
    validation::{self, OtherPeak, OtherPeaks},
};

/// The plan of one pass.
pub(super) struct Pass {
    params: PassParams,
    pub(super) grid: Grid,
    correlator: Correlator,
    slots: [Slot; 2],
    maps: [CorrelationMap; 2],
    others: Vec<OtherPeaks>,
    /// How far each window is searched, px; empty: as far as the parameters say.
    pub(super) reaches: Vec<usize>,
    /// The window whose correlation is to be kept.
    pub(super) look_at: Option<usize>,
    /// What it was in the last couple.
    pub(super) look: Option<Look>,
    /// Whether the maps are means over couples, so that there are no windows that belong to them.
    averaged: bool,
}

/// What the couples of a series add up to in one window.
#[derive(Clone)]
pub(super) struct MapSum {
    map: CorrelationMap,
    /// Couples with something to correlate.
    count: usize,
    /// Why the others have nothing.
    flags: Flags,
}

/// The windows of one vector.
struct Slot {
    first: Vec<f32>,
    second: Vec<f32>,
    /// Whole pixels by which the second window is displaced against the first.
    shift: [isize; 2],
    /// What became of the windows; their norms if there is something to correlate.
    norms: Result<[f32; 2], Flags>,
}

impl Slot {
    /// What there is to correlate.
    fn couple(&self) -> Option<Couple<'_>> {
        let norms = self.norms.ok()?;
        Some(Couple { first: &self.first, second: &self.second, norms })
    }
}

/// How many pixels around the search a map has values for: the method knows one pixel more than it searches, and a wide
/// fit may want more than that.
fn margin(params: &PassParams, reach: usize) -> usize {
    let beyond = params.correlation.largest_reach(params.longer_side()) + 1 - reach;
    params.subpixel.reach().max(1).min(beyond)
}

/// What a peak of a correlation says, beside the displacement between the windows.
struct Measured {
    dx: f64,
    dy: f64,
    /// The whole pixel that is highest.
    top: Peak,
    flags: Flags,
}

/// Where windows are looked for.
#[derive(Clone, Copy)]
pub(super) enum Guide<'a> {
    /// Displaced by whole pixels near these displacements.
    Shift(&'a [[f64; 2]]),
    /// At the same place, in images already deformed by these displacements.
    Deformed(&'a [[f64; 2]]),
}

impl Guide<'_> {
    /// Whole pixels by which the windows of a vector are displaced against each other.
    fn shift(&self, index: usize) -> [isize; 2] {
        match self {
            Guide::Shift(displacements) => displacements[index].map(|component| component.round() as isize),
            Guide::Deformed(_) => [0; 2],
        }
    }
}

impl Pass {
    pub(super) fn new(params: &PassParams, region: Region) -> Result<Pass, PivError> {
        let grid = Grid::new(params, region)?;
        let reach = params.reach();
        let map = CorrelationMap::new(reach, margin(params, reach));
        let side = params.longer_side();
        let area = side * side;
        let slot =
            || Slot { first: vec![0.0; area], second: vec![0.0; area], shift: [0; 2], norms: Ok([0.0; 2]) };
        Ok(Pass {
            correlator: Correlator::new(params.correlation, side, map.radius())?,
            params: params.clone(),
            grid,
            slots: [slot(), slot()],
            maps: [map.clone(), map],
            others: Vec::new(),
            reaches: Vec::new(),
            look_at: None,
            look: None,
            averaged: false,
        })
    }

    /// The vectors of a couple, measured and tested.
    pub(super) fn measure(&mut self, frames: [Frame<'_>; 2], guide: Guide<'_>) -> VectorField {
        let mut vectors = Vec::with_capacity(self.grid.len());
        self.others.clear();
        self.look = None;
        for index in (0..self.grid.len()).step_by(2) {
            let both = index + 1 < self.grid.len();
            for slot in 0..if both { 2 } else { 1 } {
                self.cut(frames, guide, slot, index + slot);
                let reach = self.reach(index + slot);
                self.maps[slot].resize(reach, margin(&self.params, reach));
            }
            self.correlate(both);
            for slot in 0..if both { 2 } else { 1 } {
                let (vector, others) = self.vector(guide, slot, index + slot);
                if self.look_at == Some(index + slot) && self.slots[slot].norms.is_ok() {
                    self.look = Some(self.look(guide, slot, index + slot, &vector));
                }
                vectors.push(vector);
                self.others.push(others);
            }
        }
        self.tested(vectors)
    }

    /// Adds the correlations of a couple to those of others; `sums` is empty before the first one.
    pub(super) fn add_to(&mut self, sums: &mut Vec<MapSum>, frames: [Frame<'_>; 2], guide: Guide<'_>) {
        if sums.is_empty() {
            sums.extend((0..self.grid.len()).map(|index| {
                let reach = self.reach(index);
                let map = CorrelationMap::new(reach, margin(&self.params, reach));
                MapSum { map, count: 0, flags: Flags::default() }
            }));
        }
        for index in (0..self.grid.len()).step_by(2) {
            let both = index + 1 < self.grid.len();
            let slots = if both { 2 } else { 1 };
            for slot in 0..slots {
                self.cut(frames, guide, slot, index + slot);
                let reach = self.reach(index + slot);
                self.maps[slot].resize(reach, margin(&self.params, reach));
            }
            self.correlate(both);
            for slot in 0..slots {
                let (sum, map) = (&mut sums[index + slot], &self.maps[slot]);
                match self.slots[slot].norms {
                    Ok(_) => {
                        sum.count += 1;
                        sum.map.window = map.window;
                        sum.map.values.iter_mut().zip(&map.values).for_each(|(sum, value)| *sum += value);
                    }
                    Err(flags) => sum.flags |= flags,
                }
            }
        }
    }

    /// The vectors of the mean correlations, measured and tested.
    pub(super) fn measure_sums(&mut self, sums: Vec<MapSum>, guide: Guide<'_>) -> VectorField {
        let mut vectors = Vec::with_capacity(self.grid.len());
        self.others.clear();
        self.averaged = true;
        for (index, mut sum) in sums.into_iter().enumerate() {
            let scale = 1.0 / sum.count.max(1) as f32;
            sum.map.values.iter_mut().for_each(|value| *value *= scale);
            self.maps[0] = sum.map;
            self.slots[0].shift = guide.shift(index);
            self.slots[0].norms = if sum.count > 0 { Ok([1.0; 2]) } else { Err(sum.flags) };
            let (vector, others) = self.vector(guide, 0, index);
            vectors.push(vector);
            self.others.push(others);
        }
        self.averaged = false;
        self.tested(vectors)
    }

    /// The field of vectors whose lower peaks are at hand, after validation.
    fn tested(&self, vectors: Vec<Vector>) -> VectorField {
        let mut field = VectorField { nx: self.grid.nx, ny: self.grid.ny, vectors };
        validation::test(&mut field, &self.others, &self.params.validation);
        field
    }

    /// The displacement along an axis up to which a window is searched, px.
    fn reach(&self, index: usize) -> usize {
        let most = self.params.reach();
        self.reaches.get(index).map_or(most, |&reach| reach.min(most))
    }

    /// Fills a slot with the windows of a vector.
    fn cut(&mut self, frames: [Frame<'_>; 2], guide: Guide<'_>, slot: usize, index: usize) {
        let window = self.grid.window;
        let corner = self.grid.corner(index).map(|place| place as isize);
        let slot = &mut self.slots[slot];
        slot.shift = guide.shift(index);
        // Opposite halves, so that the vector belongs to the middle of the way.
        let back = slot.shift.map(|shift| shift.div_euclid(2));
        let first = [corner[0] - back[0], corner[1] - back[1]];
        let second = [first[0] + slot.shift[0], first[1] + slot.shift[1]];
        let contents =
            (frames[0].cut(first, window, &mut slot.first), frames[1].cut(second, window, &mut slot.second));
        slot.norms = match contents {
            (Content::Pattern(first), Content::Pattern(second)) => Ok([first, second]),
            (Content::Masked, _) | (_, Content::Masked) => Err(Flags::MASKED),
            _ => Err(Flags::NO_SIGNAL),
        };
    }

    fn correlate(&mut self, both: bool) {
        let [first, second] = &self.slots;
        // The slot without a partner still holds the windows of an earlier vector.
        match (first.couple(), second.couple().filter(|_| both)) {
            (Some(first), Some(second)) => self.correlator.correlate_two([first, second], &mut self.maps),
            (Some(first), None) => self.correlator.correlate(first, &mut self.maps[0]),
            (None, Some(second)) => self.correlator.correlate(second, &mut self.maps[1]),
            (None, None) => {}
        }
        if self.params.window_height.is_some() {
            self.maps.iter_mut().for_each(|map| map.window = Some(self.grid.window));
        }
    }

    fn vector(&self, guide: Guide<'_>, slot: usize, index: usize) -> (Vector, OtherPeaks) {
        let [x, y] = self.grid.axes();
        let (i, j) = (index % self.grid.nx, index / self.grid.nx);
        let mut vector = Vector {
            x: x.start + i as f64 * x.step,
            y: y.start + j as f64 * y.step,
            dx: 0.0,
            dy: 0.0,
            correlation: 0.0,
            peak_ratio: f64::NAN,
            flags: Flags::default(),
        };
        let mut others = OtherPeaks::default();
        let base = self.base(guide, slot, index);
        (vector.dx, vector.dy) = (base[0], base[1]);
        if let Err(flags) = self.slots[slot].norms {
            vector.flags |= flags;
            return (vector, others);
        }
        let map = &self.maps[slot];
        let peaks = map.peaks(self.params.peaks, self.params.particle_radius);
        let [first, lower @ ..] = peaks.as_slice() else {
            vector.flags |= Flags::NO_SIGNAL;
            return (vector, others);
        };
        let measured = self.measure_peak(slot, *first, self.params.subpixel);
        vector.dx += measured.dx;
        vector.dy += measured.dy;
        vector.flags |= measured.flags;
        vector.correlation = f64::from(self.coefficient(slot, measured.top));
        if self.params.peaks > 1 {
            vector.peak_ratio = peaks.ratio();
        }
        for peak in lower {
            let quick = self.params.subpixel.quick();
            let Measured { dx, dy, top, flags } = self.measure_peak(slot, *peak, quick);
            if flags.is_valid() {
                // One peak in a hundred is taken: an estimate is enough to tell whether it may be.
                let correlation = f64::from(map.unbiased(top.dx, top.dy).unwrap_or(0.0)).clamp(-1.0, 1.0);
                others.push(OtherPeak { dx: base[0] + dx, dy: base[1] + dy, correlation });
            }
        }
        (vector, others)
    }

    fn look(&self, guide: Guide<'_>, slot: usize, index: usize, vector: &Vector) -> Look {
        let Slot { first, second, .. } = &self.slots[slot];
        Look {
            x: vector.x,
            y: vector.y,
            zero: self.base(guide, slot, index),
            map: self.maps[slot].clone(),
            side: self.params.longer_side(),
            windows: [first.clone(), second.clone()],
        }
    }

    /// The correlation at a peak, of the pixels that have a partner.
    fn coefficient(&self, slot: usize, top: Peak) -> f32 {
        if self.averaged {
            return self.maps[slot].unbiased(top.dx, top.dy).unwrap_or(0.0).clamp(-1.0, 1.0);
        }
        let Some(couple) = self.slots[slot].couple() else { return 0.0 };
        match self.params.correlation {
            // Pixels that wrap around the window have a partner there, too.
            CorrelationMethod::Circular => couple.coefficient(top.dx, top.dy),
            _ => {
                let product = top.value * couple.norms[0] * couple.norms[1];
                couple.coefficient_of(product, top.dx, top.dy)
            }
        }
    }

    /// The displacement at a peak of a slot's map.
    fn measure_peak(&self, slot: usize, peak: Peak, subpixel: SubpixelParams) -> Measured {
        let map = &self.maps[slot];
        let peak = map.summit(peak);
        let reach = map.reach() as i32;
        let mut flags = Flags::default();
        if peak.dx.abs() == reach || peak.dy.abs() == reach {
            flags |= Flags::PEAK_AT_BORDER;
        }
        let fit = subpixel.offset(map, peak);
        match fit {
            None => flags |= Flags::SUBPIXEL_FAILED,
            Some(Fit { fallback: true, .. }) => flags |= Flags::SUBPIXEL_FALLBACK,
            Some(_) => {}
        }
        let fit = fit.unwrap_or_default();
        Measured { dx: f64::from(peak.dx) + fit.dx, dy: f64::from(peak.dy) + fit.dy, top: peak, flags }
    }

    /// What is to be added to the displacement between the windows.
    fn base(&self, guide: Guide<'_>, slot: usize, index: usize) -> [f64; 2] {
        match guide {
            Guide::Deformed(displacements) => displacements[index],
            Guide::Shift(displacements) => {
                let shift = self.slots[slot].shift;
                // An odd shift has no half: the windows' middle is half a pixel beside the vector's place.
                let aside = shift.map(|shift| shift as f64 / 2.0 - shift.div_euclid(2) as f64);
                if aside == [0.0; 2] {
                    return shift.map(|component| component as f64);
                }
                let [along_x, along_y] = self.grid.gradient(displacements, index);
                [0, 1].map(|i| shift[i] as f64 - along_x[i] * aside[0] - along_y[i] * aside[1])
            }
        }
    }
}
