//! The disk that fails.

use crate::{
    Error,
    core::run,
    current_time,
    fs::hook::{self, InstalledDisk, Verdict},
    testing::files::image::{Image, Snapshot, bytes_below},
};
use std::{
    fs,
    io::{self, ErrorKind, Write},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What has happened on a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskReport {
    /// How many operations have begun.
    pub operations: u64,
    /// How many of them have failed because the disk was told to fail.
    pub errors: u64,
    /// How many writes were cut off in the middle.
    pub torn_writes: u64,
    /// How many writes have found the disk full.
    pub full: u64,
    /// How many crashes there were.
    pub crashes: u64,
}

struct DiskState {
    image: Image,
    random: fastrand::Rng,
    latency: RangeInclusive<f64>,
    error_rate: f64,
    capacity: Option<u64>,
    fails_at: Option<u64>,
    power_until: Option<u64>,
    power_is_gone: bool,
    /// What the folder was when the power was cut.
    at_cut: Option<Snapshot>,
    root: PathBuf,
    report: DiskReport,
}

impl DiskState {
    /// Whether the current operation comes after the power is cut.
    fn is_powerless(&self) -> bool {
        self.power_until.is_some_and(|last| self.report.operations > last)
    }

    /// From now on the disk stays as it is, whatever destructors still do.
    fn power_goes(&mut self) {
        if !self.power_is_gone {
            self.power_is_gone = true;
            // If the folder cannot be read now, the crash reads it, and tells the error.
            self.at_cut = Snapshot::of(&self.root).ok();
        }
    }
}

struct Shared {
    root: PathBuf,
    state: Mutex<DiskState>,
}

/// A disk that fails: all operations of [`fs`](crate::fs) on files below one folder, in the runs where it is
/// [installed](FaultyDisk::install).
///
/// The methods that set faults count operations from the beginning, starting at one. Under
/// [`Explore`](crate::testing::Explore), [`Everywhere`](crate::testing::Everywhere) and
/// [`Simulation`](crate::testing::net::Simulation) the order of operations is that of the run's clock, so one seed is one
/// run. In other runs, operations of several tasks are in several threads, and the system decides their order.
///
/// ```
/// use terzetto::{fs, testing::files::FaultyDisk};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("account");
/// // Power goes at each operation. A reader must find the old balance or the new one.
/// for last in 0.. {
///     std::fs::write(&path, "100")?;
///     let disk = FaultyDisk::new(folder.path(), last)?;
///     disk.cut_power_after(last);
///     let outcome = terzetto::run(async {
///         disk.install()?;
///         let new = fs::TempFile::new_in(folder.path()).await?;
///         new.file().write_all("200").await?;
///         new.file().sync_all().await?;
///         new.persist(&path).await?;
///         Ok(fs::File::open(folder.path()).await?.sync_all().await?)
///     });
///     disk.crash()?;
///     let balance = std::fs::read_to_string(&path)?;
///     assert!(balance == "200" || balance == "100" && outcome.is_err(), "{balance}");
///     if outcome.is_ok() {
///         break;
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FaultyDisk(Arc<Shared>);

impl FaultyDisk {
    /// A disk with one folder of the system. All that is in the folder counts as synced. It has no faults yet.
    ///
    /// # Errors
    /// The folder cannot be read. [`Unsupported`](ErrorKind::Unsupported) if something in it is neither a file nor a
    /// folder.
    pub fn new(folder: impl AsRef<Path>, seed: u64) -> io::Result<FaultyDisk> {
        let root = fs::canonicalize(folder)?;
        let state = DiskState {
            image: Image::of(&root)?,
            random: fastrand::Rng::with_seed(seed),
            latency: 0.0..=0.0,
            error_rate: 0.0,
            capacity: None,
            fails_at: None,
            power_until: None,
            power_is_gone: false,
            at_cut: None,
            root: root.clone(),
            report: DiskReport::default(),
        };
        Ok(FaultyDisk(Arc::new(Shared { root, state: Mutex::new(state) })))
    }

    /// Puts the disk into the current run, until the run ends.
    ///
    /// # Errors
    /// The run has a disk already.
    ///
    /// # Panics
    /// Outside a run.
    pub fn install(&self) -> Result<(), Error> {
        // Also panics outside a run, with the usual message.
        let _time = current_time();
        let disk: Arc<dyn hook::FaultyDisk> = self.0.clone();
        let installed = run::with(|run| run.extensions.get(|| InstalledDisk(disk.clone())));
        match Arc::ptr_eq(&installed.0, &disk) {
            true => Ok(()),
            false => Err(Error::msg("this run has a faulty disk already, and can have only one")),
        }
    }

    /// How many seconds of the run's clock each operation waits before it begins, drawn from the seed. The default is
    /// none.
    ///
    /// # Panics
    /// If the range is empty, negative or infinite.
    pub fn set_latency(&self, seconds: RangeInclusive<f64>) {
        let (least, most) = (*seconds.start(), *seconds.end());
        assert!(
            least >= 0.0 && least <= most && most.is_finite(),
            "the argument `seconds` of FaultyDisk::set_latency must be a range of finite numbers from zero on, and is \
             {seconds:?}"
        );
        self.0.lock().latency = seconds;
    }

    /// How probable it is that an operation fails with an I/O error, drawn from the seed. A write is cut off in the
    /// middle then. The default is zero.
    ///
    /// # Panics
    /// If `rate` is not between zero and one.
    pub fn set_error_rate(&self, rate: f64) {
        assert!(
            (0.0..=1.0).contains(&rate),
            "the argument `rate` of FaultyDisk::set_error_rate must be between zero and one, and is {rate}"
        );
        self.0.lock().error_rate = rate;
    }

    /// How many bytes all files of the folder may have; `None` means as many as the system has room for. A write that
    /// needs more writes what fits, and fails with [`StorageFull`](ErrorKind::StorageFull).
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity = bytes;
    }

    /// Fails one operation with an I/O error. A write is cut off in the middle.
    pub fn fail_at(&self, operation: u64) {
        self.0.lock().fails_at = Some(operation);
    }

    /// Cuts the power after so many operations: all later ones fail, until the [crash](FaultyDisk::crash). The first of
    /// them, if it is a write, is cut off in the middle.
    pub fn cut_power_after(&self, operations: u64) {
        self.0.lock().power_until = Some(operations);
    }

    /// Makes the folder what a crash of the machine leaves of it; see the [module](super). After that there is power
    /// again. What is left counts as synced. If the power was cut, what happened in the folder after that does not count.
    ///
    /// Call this when the run that used the folder has ended: open files would still refer to what was there before.
    ///
    /// # Errors
    /// The system's errors, when the folder is read and written. Then the folder may be half-way.
    pub fn crash(&self) -> io::Result<()> {
        let state = &mut *self.0.lock();
        let last = match state.at_cut.take() {
            Some(at_cut) => at_cut,
            None => Snapshot::of(&state.root)?,
        };
        state.image.crash(&last, &mut state.random)?;
        state.report.crashes += 1;
        (state.power_until, state.power_is_gone) = (None, false);
        Ok(())
    }

    /// What has happened so far. A test should check that its faults did.
    pub fn report(&self) -> DiskReport {
        self.0.lock().report
    }
}

impl std::fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyDisk").field("folder", &self.0.root).field("report", &self.report()).finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, DiskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a path is in the folder. Its last part may not exist yet.
    fn has(&self, path: &Path) -> bool {
        let real = fs::canonicalize(path).or_else(|_| {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            fs::canonicalize(parent.unwrap_or(Path::new(".")))
        });
        real.is_ok_and(|real| real.starts_with(&self.root))
    }
}

impl hook::FaultyDisk for Shared {
    fn latency(&self, path: &Path) -> f64 {
        if !self.has(path) {
            return 0.0;
        }
        let DiskState { random, latency, .. } = &mut *self.lock();
        latency.start() + random.f64() * (latency.end() - latency.start())
    }

    fn begin(&self, path: &Path, writes: bool) -> Option<Verdict> {
        if !self.has(path) {
            return None;
        }
        let state = &mut *self.lock();
        state.report.operations += 1;
        let number = state.report.operations;
        let fails =
            state.fails_at == Some(number) || state.is_powerless() || state.random.f64() < state.error_rate;
        state.report.errors += u64::from(fails);
        if !writes && state.is_powerless() {
            state.power_goes();
        }
        Some(if fails { Verdict::Fails } else { Verdict::Done })
    }

    fn error(&self) -> io::Error {
        io::Error::other("an I/O error of the simulated disk")
    }

    fn write_all(&self, file: &mut fs::File, data: &[u8], verdict: Verdict) -> io::Result<()> {
        let state = &mut *self.lock();
        if verdict == Verdict::Fails {
            // Without power nothing of a later write gets to the disk.
            let part = if state.power_is_gone { 0 } else { state.random.usize(0..=data.len()) };
            state.report.torn_writes += u64::from(part > 0 && part < data.len());
            file.write_all(&data[..part])?;
            if state.is_powerless() {
                state.power_goes();
            }
            return Err(self.error());
        }
        let Some(capacity) = state.capacity else { return file.write_all(data) };
        let free = capacity.saturating_sub(bytes_below(&self.root)?);
        let fits = usize::try_from(free).unwrap_or(usize::MAX).min(data.len());
        file.write_all(&data[..fits])?;
        if fits < data.len() {
            state.report.full += 1;
            state.report.torn_writes += u64::from(fits > 0);
            return Err(io::Error::new(ErrorKind::StorageFull, "the simulated disk is full"));
        }
        Ok(())
    }

    fn synced(&self, file: &fs::File) -> io::Result<()> {
        self.lock().image.synced(file)
    }
}
