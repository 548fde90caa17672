//! Topologies as data: a graph in TOML, made of works that a program has.
//!
//! A program puts its works into a [`WorkLibrary`], under names. Whoever uses the program then writes which works
//! there are, how they are linked, and how many calls run at once:
//!
//! ```toml
//! name = "lengths"
//! results = ["lengths"]
//!
//! [[work]]
//! name = "list"
//! to = "words"
//! params = { words = ["ada", "grace"] }
//!
//! [[work]]
//! name = "measure"
//! from = "words"
//! to = "lengths"
//! max_workers = 2
//! ```
//!
//! The first work that names a queue decides the type of its items. A work with another type is an error. So are
//! unknown works and keys. What comes out is a [`Topology`] like any other: it is checked, drawn and run in the same
//! way.

use std::{
    any::{Any, type_name},
    collections::{BTreeMap, HashSet},
    error::Error,
    fmt,
};

use serde::{Deserialize, de::DeserializeOwned};

use super::{Awaiting, Blocking, BoxError, EachBuilder, Key, Queue, Topology, nearest::nearest};

/// The works of a program, by name.
///
/// A work is given as a function that makes its function: it is told the `params` of the work, whose type it chooses.
/// `()` stands for a work without parameters.
///
/// ```
/// use serde::Deserialize;
/// use terzetto_executor::{ExecutorAsync, Options, graph::WorkLibrary};
///
/// #[derive(Deserialize)]
/// struct List {
///     words: Vec<String>,
/// }
///
/// let mut library = WorkLibrary::new();
/// library.source("list", |params: List| Ok(params.words.into_iter().map(|word| (word.clone(), word))));
/// library.cpu("measure", |(): ()| Ok(|_: &_, word: String| Ok(word.len())));
///
/// let topology = library.topology(r#"
///     name = "lengths"
///     [[work]]
///     name = "list"
///     to = "words"
///     params = { words = ["ada", "grace"] }
///     [[work]]
///     name = "measure"
///     from = "words"
/// "#)?;
/// println!("{}", topology.to_dot());
/// assert_eq!(terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?.done, 2);
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Default)]
pub struct WorkLibrary {
    works: BTreeMap<String, Add>,
}

/// Adds a work to a topology.
type Add = Box<dyn Fn(&mut Building, &WorkData) -> Result<(), BoxError>>;

/// Begins an io or a cpu work.
type Begin<I> = for<'t> fn(&'t mut Topology, &str, &Queue<I>) -> EachBuilder<'t, I, (), Blocking>;

/// A topology that is not made, and why.
#[derive(Debug)]
pub struct DataError {
    /// The work that it is about, if it is about one.
    work: Option<String>,
    cause: BoxError,
}

impl DataError {
    fn new(work: Option<&str>, cause: impl Into<BoxError>) -> DataError {
        DataError { work: work.map(str::to_owned), cause: cause.into() }
    }

    /// The name of the work that it is about, if it is about one.
    pub fn work(&self) -> Option<&str> {
        self.work.as_deref()
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.work {
            Some(work) => write!(f, "work `{work}`: {}", self.cause),
            None => write!(f, "{}", self.cause),
        }
    }
}

// The message already has the cause.
impl Error for DataError {}

/// A topology as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopologyData {
    name: String,
    /// The queues that keep results.
    #[serde(default)]
    results: HashSet<String>,
    /// The queues that works may fill which come later.
    #[serde(default)]
    feedback: HashSet<String>,
    /// The limits of queues that have their own.
    #[serde(default)]
    limits: BTreeMap<String, usize>,
    work: Vec<WorkData>,
}

/// A work as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkData {
    name: String,
    /// Its name in the library, if it has another one here.
    #[serde(rename = "use")]
    of_library: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    params: toml::Table,
    max_workers: Option<usize>,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    uses: BTreeMap<String, u64>,
}

/// A topology that is being made.
struct Building {
    topology: Topology,
    queues: BTreeMap<String, NamedQueue>,
    results: HashSet<String>,
    feedback: HashSet<String>,
    limits: BTreeMap<String, usize>,
}

/// A queue that works have named.
struct NamedQueue {
    /// A handle of the queue's type.
    handle: Box<dyn Any>,
    type_name: &'static str,
    /// The work that named it first, and so decided the type of its items.
    named_by: String,
}

impl WorkLibrary {
    /// A library without works.
    pub fn new() -> WorkLibrary {
        WorkLibrary::default()
    }

    /// The names of the works.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.works.keys().map(String::as_str)
    }

    /// Adds a [source](Topology::source). `make` makes the series.
    pub fn source<P, K, T, I>(&mut self, name: &str, make: impl Fn(P) -> Result<I, BoxError> + 'static)
    where
        P: DeserializeOwned,
        K: Into<Key>,
        T: Send + 'static,
        I: IntoIterator<Item = (K, T), IntoIter: Send + 'static>,
    {
        self.add(name, move |building, work| {
            if work.from.is_some() {
                return Err("a source takes from no queue, so that it has no `from`".into());
            }
            let output =
                building.queue::<T>(work.to.as_deref().ok_or("a source needs `to`, a queue")?, work)?;
            building.topology.source(&work.name, &output, make(params(work)?)?);
            Ok(())
        });
    }

    /// Adds a work that mostly waits: see [`Topology::io`]. `make` makes its function.
    pub fn io<P, I, O, F>(&mut self, name: &str, make: impl Fn(P) -> Result<F, BoxError> + 'static)
    where
        P: DeserializeOwned,
        I: Send + 'static,
        O: Send + 'static,
        F: Fn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
    {
        self.add_blocking(name, make, |topology, name, input| topology.io(name, input));
    }

    /// Adds a work that mostly computes: see [`Topology::cpu`]. `make` makes its function.
    pub fn cpu<P, I, O, F>(&mut self, name: &str, make: impl Fn(P) -> Result<F, BoxError> + 'static)
    where
        P: DeserializeOwned,
        I: Send + 'static,
        O: Send + 'static,
        F: Fn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
    {
        self.add_blocking(name, make, |topology, name, input| topology.cpu(name, input));
    }

    /// Adds a work whose function is async: see [`Topology::task`]. `make` makes its function.
    pub fn task<P, I, O, F>(&mut self, name: &str, make: impl Fn(P) -> Result<F, BoxError> + 'static)
    where
        P: DeserializeOwned,
        I: Send + 'static,
        O: Send + 'static,
        F: AsyncFn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
    {
        self.add(name, move |building, work| {
            let (input, function) = (building.input::<I>(work)?, make(params(work)?)?);
            match building.output::<O>(work)? {
                Some(output) => {
                    let task: EachBuilder<'_, I, (), Awaiting> = building.topology.task(&work.name, &input);
                    configure(task, work).to(&output).each(function);
                }
                None => {
                    let task = building.topology.task(&work.name, &input);
                    configure(task, work).each(async move |key, value| function(key, value).await.map(drop));
                }
            }
            Ok(())
        });
    }

    fn add_blocking<P, I, O, F>(
        &mut self,
        name: &str,
        make: impl Fn(P) -> Result<F, BoxError> + 'static,
        begin: Begin<I>,
    ) where
        P: DeserializeOwned,
        I: Send + 'static,
        O: Send + 'static,
        F: Fn(&Key, I) -> Result<O, BoxError> + Send + Sync + 'static,
    {
        self.add(name, move |building, work| {
            let (input, function) = (building.input::<I>(work)?, make(params(work)?)?);
            match building.output::<O>(work)? {
                Some(output) => {
                    configure(begin(&mut building.topology, &work.name, &input), work)
                        .to(&output)
                        .each(function);
                }
                None => {
                    let builder = begin(&mut building.topology, &work.name, &input);
                    configure(builder, work).each(move |key, value| function(key, value).map(drop));
                }
            }
            Ok(())
        });
    }

    fn add(&mut self, name: &str, add: impl Fn(&mut Building, &WorkData) -> Result<(), BoxError> + 'static) {
        self.works.insert(name.to_owned(), Box::new(add));
    }

    /// Makes the topology that a text describes. It is not [checked](Topology::check) yet; executors do that.
    ///
    /// The value of a work without `to` is dropped, and its item has arrived.
    ///
    /// # Errors
    /// [`DataError`] if the text is no TOML or has unknown keys, if the library has no such work, if its parameters
    /// are wrong, or if two works want items of different types in one queue.
    pub fn topology(&self, text: &str) -> Result<Topology, DataError> {
        let data: TopologyData = toml::from_str(text).map_err(|error| DataError::new(None, error))?;
        let TopologyData { name, results, feedback, limits, work: works } = data;
        let topology = Topology::new(name);
        let mut building = Building { topology, queues: BTreeMap::new(), results, feedback, limits };
        for work in &works {
            let failed = |cause: BoxError| DataError::new(Some(&work.name), cause);
            let name = work.of_library.as_ref().unwrap_or(&work.name);
            let add = self.works.get(name).ok_or_else(|| {
                let names: Vec<&str> = self.names().collect();
                let hint =
                    nearest(name, &names).map(|near| format!(" (is `{near}` meant?)")).unwrap_or_default();
                failed(format!("there is no work `{name}`{hint}; there are: {}", names.join(", ")).into())
            })?;
            add(&mut building, work).map_err(failed)?;
        }
        building.check_names()?;
        Ok(building.topology)
    }
}

impl Building {
    /// The queue of this name. It is made when it is first named.
    fn queue<T: Send + 'static>(&mut self, name: &str, work: &WorkData) -> Result<Queue<T>, BoxError> {
        if let Some(NamedQueue { handle, type_name: its_type, named_by }) = self.queues.get(name) {
            let own_type = type_name::<T>();
            let wrong = || {
                format!(
                    "queue `{name}` has items of type `{its_type}`, and this work wants `{own_type}`; \
                     work `{named_by}` names the queue first"
                )
            };
            return Ok(handle.downcast_ref::<Queue<T>>().ok_or_else(wrong)?.clone());
        }
        let queue = match self.limits.get(name) {
            _ if self.results.contains(name) => self.topology.results::<T>(name),
            _ if self.feedback.contains(name) => self.topology.feedback_queue(name),
            Some(limit) => self.topology.queue_with_limit(name, *limit),
            None => self.topology.queue(name),
        };
        let (handle, named_by) = (Box::new(queue.clone()), work.name.clone());
        self.queues.insert(name.to_owned(), NamedQueue { handle, type_name: type_name::<T>(), named_by });
        Ok(queue)
    }

    fn input<T: Send + 'static>(&mut self, work: &WorkData) -> Result<Queue<T>, BoxError> {
        self.queue(work.from.as_deref().ok_or("it needs `from`, a queue")?, work)
    }

    fn output<T: Send + 'static>(&mut self, work: &WorkData) -> Result<Option<Queue<T>>, BoxError> {
        work.to.as_deref().map(|name| self.queue(name, work)).transpose()
    }

    /// Queues about which something is said must be queues of works.
    fn check_names(&self) -> Result<(), DataError> {
        let said = self.results.iter().chain(&self.feedback).chain(self.limits.keys());
        let mut unknown: Vec<&String> = said.filter(|name| !self.queues.contains_key(*name)).collect();
        unknown.sort();
        match unknown.first() {
            Some(name) => {
                let names: Vec<&str> = self.queues.keys().map(String::as_str).collect();
                let hint =
                    nearest(name, &names).map(|near| format!("; is `{near}` meant?")).unwrap_or_default();
                Err(DataError::new(None, format!("no work has a queue `{name}`{hint}")))
            }
            None => Ok(()),
        }
    }
}

fn params<P: DeserializeOwned>(work: &WorkData) -> Result<P, BoxError> {
    // A work without parameters: `()` is no table.
    if work.params.is_empty()
        && let Ok(nothing) =
            P::deserialize(serde::de::value::UnitDeserializer::<serde::de::value::Error>::new())
    {
        return Ok(nothing);
    }
    let params = serde_path_to_error::deserialize::<_, P>(toml::Value::Table(work.params.clone()));
    params.map_err(|error| {
        let key = match error.path().to_string() {
            path if path == "." => String::new(),
            path => format!("{path}: "),
        };
        format!("its params: {key}{}", error.inner().to_string().trim_end()).into()
    })
}

fn configure<'t, I: Send + 'static, M>(
    mut builder: EachBuilder<'t, I, (), M>,
    work: &WorkData,
) -> EachBuilder<'t, I, (), M> {
    builder = builder.priority(work.priority);
    if let Some(workers) = work.max_workers {
        builder = builder.max_workers(workers);
    }
    for (resource, amount) in &work.uses {
        builder = builder.uses(resource, *amount);
    }
    builder
}
