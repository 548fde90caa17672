//! A copy of a thread's registers and stack, made by a handler of a signal on that thread.
//!
//! All `unsafe` code of native stacks is here. What makes it sound:
//!
//! - **The handler may run at any point of any code**, also inside of the allocator. So it does only what may be done
//!   there: atomic operations, writes to memory that nobody else touches, and system calls without a wrapper that
//!   could take a lock. It restores `errno`.
//! - **One place for the copy**, [`SLOT`], which lives as long as the process. So a signal that comes late writes to no
//!   memory that is gone. A state says whose it is: `state` is the number of the thread that is asked, and only the
//!   handler on that thread can change it to `TAKING`. From then on the slot belongs to the handler, until it writes
//!   `TAKEN`. In all other states it belongs to the thread that holds [`ASKING`].
//! - **The kernel reads the stack** (`process_vm_readv` on this process), not this code. So no rule of the language
//!   about whose memory it is can be broken, and memory that is not there gives an error and not a fault.

use std::{
    cell::UnsafeCell,
    ffi::{c_int, c_void},
    io, mem, ptr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{
            AtomicI32,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    thread,
    time::{Duration, Instant},
};

/// At most so much of a stack is copied, from its innermost end.
const MOST: usize = 256 * 1024;
/// The kernel copies page by page, so that a page that is not there ends the copy and nothing more.
const PAGE: usize = 4096;
/// A thread that has not answered after this time blocks the signal, or is stopped.
const PATIENCE: Duration = Duration::from_millis(500);
const BETWEEN_LOOKS: Duration = Duration::from_micros(100);

const IDLE: i32 = 0;
const TAKING: i32 = -1;
const TAKEN: i32 = -2;

/// The registers that unwinding begins with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Registers {
    pub(super) program_counter: u64,
    pub(super) stack_pointer: u64,
    pub(super) frame_pointer: u64,
    /// The return address; zero on processors that have no register for it.
    #[cfg_attr(target_arch = "x86_64", expect(dead_code, reason = "the return address is on the stack"))]
    pub(super) link: u64,
}

/// What the handler has copied.
pub(crate) struct StackCopy {
    pub(super) registers: Registers,
    /// The memory from the stack pointer on.
    pub(super) bytes: Vec<u8>,
}

/// Where the handler puts its copy.
struct Slot {
    /// `IDLE`, `TAKING`, `TAKEN`, or the number of the thread that is asked.
    state: AtomicI32,
    content: UnsafeCell<Content>,
}

struct Content {
    registers: Registers,
    length: usize,
    bytes: [u8; MOST],
}

// SAFETY: who may touch the content is decided by `state`, as this module's page says.
unsafe impl Sync for Slot {}

// Zeros take no room in the program, and no memory before the first copy.
static SLOT: Slot = Slot {
    state: AtomicI32::new(IDLE),
    content: UnsafeCell::new(Content {
        registers: Registers { program_counter: 0, stack_pointer: 0, frame_pointer: 0, link: 0 },
        length: 0,
        bytes: [0; MOST],
    }),
};

/// Held by the thread that asks.
static ASKING: Mutex<()> = Mutex::new(());

/// The signal, once it has our handler.
static SIGNAL: OnceLock<c_int> = OnceLock::new();

/// A thread that can be asked for its stack.
pub(crate) struct SampledThread {
    process: libc::pid_t,
    thread: libc::pid_t,
    signal: c_int,
}

impl SampledThread {
    /// The calling thread. The first call takes a signal for the rest of the process's life: the highest real-time
    /// signal that has no handler.
    ///
    /// # Errors
    /// If every real-time signal has a handler.
    pub(crate) fn current() -> io::Result<SampledThread> {
        let signal = signal()?;
        // SAFETY: the call has no arguments, touches no memory and cannot fail.
        let process = unsafe { libc::getpid() };
        Ok(SampledThread { process, thread: own_number(), signal })
    }

    /// Asks the thread for a copy of its stack, and waits for it.
    ///
    /// # Errors
    /// If the thread has ended or does not answer in time, or if the system does not let a process read itself.
    pub(super) fn sample(&self) -> io::Result<StackCopy> {
        let _one_at_a_time = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        if SLOT.state.load(Acquire) == TAKING {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "a thread was stopped while it copied"));
        }
        SLOT.state.store(self.thread, Release);
        // SAFETY: the call touches no memory. Whatever thread has this number now, its handler is ours, and returns at
        // once if it was not asked.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, self.process, self.thread, self.signal) };
        if sent != 0 {
            let error = io::Error::last_os_error();
            SLOT.state.store(IDLE, Release);
            return Err(error);
        }
        self.wait()?;
        // SAFETY: the state is `TAKEN`, so the handler is done with the slot, and `ASKING` is held, so nobody is asked
        // again. `wait` has read the state with `Acquire`, so all that the handler has written is seen.
        let content = unsafe { &*SLOT.content.get() };
        let copy =
            StackCopy { registers: content.registers, bytes: content.bytes[..content.length].to_vec() };
        SLOT.state.store(IDLE, Release);
        if copy.bytes.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the system lets no process read its own memory by process_vm_readv",
            ));
        }
        Ok(copy)
    }

    /// Waits until the handler has made the copy.
    fn wait(&self) -> io::Result<()> {
        let begun = Instant::now();
        while SLOT.state.load(Acquire) != TAKEN {
            if begun.elapsed() > PATIENCE {
                // This fails if the handler has begun. It then writes to the slot until it is done, so the slot stays
                // `TAKING`, and nobody else touches it.
                let _taken_back = SLOT.state.compare_exchange(self.thread, IDLE, AcqRel, Acquire);
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the thread does not answer; it is stopped, or blocks signals",
                ));
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }
}

/// The kernel's number of the calling thread. A handler may ask for it.
fn own_number() -> libc::pid_t {
    // SAFETY: the call has no arguments, touches no memory and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// The signal that has our handler. It is installed if it is not.
fn signal() -> io::Result<c_int> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&signal) = SIGNAL.get() {
        return Ok(signal);
    }
    for signal in (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev() {
        if install(signal)? {
            return Ok(*SIGNAL.get_or_init(|| signal));
        }
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "every real-time signal has a handler already"))
}

/// Installs the handler. Returns false, and changes nothing, if the signal has another handler.
fn install(signal: c_int) -> io::Result<bool> {
    // SAFETY: a `sigaction` of zeros is a valid one, with the default action.
    let (mut ours, mut before): (libc::sigaction, libc::sigaction) =
        unsafe { (mem::zeroed(), mem::zeroed()) };
    ours.sa_sigaction = take as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
    // On the alternate stack, if there is one: the thread's own may be nearly full.
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: the pointers lead to structures that live until the calls return. The handler does only what a handler
    // may do.
    unsafe {
        libc::sigfillset(&mut ours.sa_mask);
        if libc::sigaction(signal, &ours, &mut before) != 0 {
            return Err(io::Error::last_os_error());
        }
        if before.sa_sigaction == libc::SIG_DFL {
            return Ok(true);
        }
        if libc::sigaction(signal, &before, ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(false)
}

/// The handler.
extern "C" fn take(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    let own = own_number();
    if SLOT.state.compare_exchange(own, TAKING, AcqRel, Relaxed).is_err() {
        return;
    }
    // SAFETY: each thread has an `errno`, which the pointer leads to.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: the state is `TAKING`, and was set by this call, so nobody else touches the content until it is `TAKEN`.
    let content = unsafe { &mut *SLOT.content.get() };
    // SAFETY: the kernel gives a handler with `SA_SIGINFO` a pointer to a context that lives until it returns.
    content.registers = registers(unsafe { &*context.cast::<libc::ucontext_t>() });
    content.length = copy_memory(content.registers.stack_pointer as usize, &mut content.bytes);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    SLOT.state.store(TAKEN, Release);
}

/// Copies memory of this process, until the buffer is full or memory ends. Returns the number of bytes.
fn copy_memory(from: usize, buffer: &mut [u8; MOST]) -> usize {
    let mut done = 0;
    while done < MOST {
        let Some(at) = from.checked_add(done) else { break };
        let length = (PAGE - at % PAGE).min(MOST - done);
        let to = libc::iovec { iov_base: buffer[done..].as_mut_ptr().cast(), iov_len: length };
        let from = libc::iovec { iov_base: ptr::without_provenance_mut(at), iov_len: length };
        // SAFETY: the kernel writes at most `length` bytes into the buffer, which has room for them. It only reads at
        // the other address, and fails if no memory is there. Its own process is always the caller's to read.
        let copied = unsafe {
            libc::syscall(
                libc::SYS_process_vm_readv,
                libc::getpid(),
                &raw const to,
                1_usize,
                &raw const from,
                1_usize,
                0_usize,
            )
        };
        if usize::try_from(copied) != Ok(length) {
            break;
        }
        done += length;
    }
    done
}

#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> Registers {
    let of = |register: c_int| context.uc_mcontext.gregs[register as usize] as u64;
    Registers {
        program_counter: of(libc::REG_RIP),
        stack_pointer: of(libc::REG_RSP),
        frame_pointer: of(libc::REG_RBP),
        link: 0,
    }
}

#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> Registers {
    let machine = &context.uc_mcontext;
    Registers {
        program_counter: machine.pc,
        stack_pointer: machine.sp,
        frame_pointer: machine.regs[29],
        link: machine.regs[30],
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::SampledThread;
    use std::{
        panic::catch_unwind,
        sync::{
            atomic::{AtomicBool, Ordering::Relaxed},
            mpsc,
        },
        thread,
    };

    /// The thread holds the locks of the allocator and of the unwinder most of the time, and yet always answers.
    #[test]
    fn see_14_a_thread_answers_wherever_it_is_interrupted() {
        static ENOUGH: AtomicBool = AtomicBool::new(false);
        let (send, receive) = mpsc::channel();
        let busy = thread::spawn(move || {
            send.send(SampledThread::current().unwrap()).unwrap();
            while !ENOUGH.load(Relaxed) {
                let many: Vec<Box<[u8]>> = (0..50).map(|size| vec![1; size * 100].into()).collect();
                drop(many);
                // Unwinds without a message.
                let caught = catch_unwind(|| std::panic::resume_unwind(Box::new(7)));
                assert!(caught.is_err());
            }
        });
        let thread = receive.recv().unwrap();
        for _ in 0..2_000 {
            let copy = thread.sample().unwrap();
            assert!(copy.registers.program_counter != 0 && copy.bytes.len() >= 512, "{}", copy.bytes.len());
        }
        ENOUGH.store(true, Relaxed);
        busy.join().unwrap();
        let gone = thread.sample().err().expect("the thread has ended");
        assert_eq!(gone.raw_os_error(), Some(libc::ESRCH), "{gone}");
    }

    #[test]
    fn see_14_a_signal_that_has_a_handler_is_left_alone() {
        let taken = super::signal().unwrap();
        // That of ours is in its place again after that.
        assert!(!super::install(taken).unwrap());
        let thread = SampledThread::current().unwrap();
        thread::scope(|scope| {
            let asked = scope.spawn(move || thread.sample().map(|copy| copy.bytes.len()));
            while !asked.is_finished() {
                thread::yield_now();
            }
            assert!(asked.join().unwrap().unwrap() > 0);
        });
    }
}
