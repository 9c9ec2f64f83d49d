# Holds something inside a node for as long as somebody wants it: its processors, the room on a small filesystem, a limit of its processes, its memory.
#
#   hold.pl burn WORKERS | disk PATH | descriptors SOFT_LIMIT | memory MIB | limits BACK
#
# It is told what to do by lines of JSON on stdin ('begin', 'tell', 'end', 'beat'), and answers each that bears an id with a line on stdout. When stdin ends, or brings nothing for nine
# seconds, it lets go and ends. What it holds of processors, room and memory, the kernel takes back however it ends; a limit, only itself does, or, when it was killed, another one that is begun
# with 'limits' and what it said to 'begin' ("back"): the limits before.
# Nothing but perl-base is needed, which every Debian has.
use strict;
use warnings;
use POSIX ();
use Time::HiRes ();

my $SILENCE_S = 9;
my $EVERY_S = 0.1;

my ($what, $how) = @ARGV;
my %acts = (burn => \&burn, disk => \&disk, descriptors => \&descriptors, memory => \&memory, limits => \&limits);
my $held;
$| = 1;
$SIG{PIPE} = 'IGNORE';
# A burner that ended is waited for by nobody.
$SIG{CHLD} = 'DEFAULT';

my $pending = '';
my $heard = Time::HiRes::time();
while (1) {
  my $ready = '';
  vec($ready, fileno(STDIN), 1) = 1;
  if (select($ready, undef, undef, $EVERY_S) > 0) {
    sysread(STDIN, $pending, 65536, length $pending) or last;
    $heard = Time::HiRes::time();
    obey($1) while $pending =~ s/^(.*)\n//;
  }
  $held->{again}->() if $held && $held->{again};
  last if Time::HiRes::time() - $heard > $SILENCE_S;
}
let_go();
exit 0;

sub obey {
  my ($line) = @_;
  my ($do) = $line =~ /"do":"(\w+)"/;
  my ($id) = $line =~ /"id":(\d+)/;
  return unless defined $do && defined $id;
  my $answer = eval {
    if ($do eq 'begin') { $held = $acts{$what}->($how); return join ',', $held->{tell}->(), $held->{back} ? $held->{back}->() : () }
    if ($do eq 'tell') { return $held->{tell}->() }
    let_go();
    return '';
  };
  my $error = $@;
  $error =~ s/ at -e line.*//s;
  $error =~ s/[^ -~]|["\\]/ /g;
  print qq({"id":$id) . (defined $answer ? ($answer eq '' ? '' : ",$answer") : qq(,"error":"$error")) . "}\n";
}

sub let_go {
  my $was = $held;
  undef $held;
  $was->{end}->() if $was;
}

# Processes that do nothing else than run. Each ends when this one has, however it did.
sub burn {
  my ($workers) = @_;
  my $parent = $$;
  my @pids = map {
    my $pid = fork // die "it could not fork: $!\n";
    if ($pid == 0) {
      # The name by which whoever measures finds them; 15 letters is all that the kernel keeps.
      $0 = 'aftershock-burn';
      while (getppid() == $parent) { for (my $i = 0; $i < 20_000; $i++) { } }
      POSIX::_exit(0);
    }
    $pid;
  } 1 .. $workers;
  return {
    tell => sub { my $alive = grep { waitpid($_, POSIX::WNOHANG()) == 0 } @pids; qq("alive":$alive) },
    end => sub { kill 'KILL', @pids; waitpid $_, 0 for @pids },
  };
}

# All the room of a filesystem, in a file that has no name: the kernel frees it when nobody has it open. What others give up is taken, too.
sub disk {
  my ($path) = @_;
  mounted_in_memory($path) or die "$path is no filesystem in memory of its own\n";
  my $name = "$path/.aftershock-full-$$";
  open my $file, '+>', $name or die "it could not make a file there: $!\n";
  unlink $name or die "it could not unlink its file there: $!\n";
  my $taken = 0;
  my $fill = sub {
    for my $length (1 << 20, 1 << 12) {
      my $zeros = "\0" x $length;
      while (1) {
        my $written = syswrite $file, $zeros;
        if (!defined $written) { last if $!{ENOSPC}; die "it could not write there: $!\n" }
        $taken += $written;
        last if $written < $length;
      }
    }
  };
  $fill->();
  return { again => $fill, tell => sub { qq("takenBytes":$taken) }, end => sub { close $file } };
}

sub mounted_in_memory {
  my ($path) = @_;
  open my $mounts, '<', '/proc/self/mounts' or die "it could not read its mounts: $!\n";
  my @found = grep { my (undef, $at, $type) = split ' '; $at eq $path && $type eq 'tmpfs' } <$mounts>;
  return scalar @found;
}

# The soft limit on descriptors of all processes under the node's first, itself included; the hard one stays.
sub descriptors {
  my ($soft) = @_;
  my @before;
  my $restore = sub { put_back(@before) };
  for my $pid (processes()) {
    my $was = eval { limit_as_owner($pid, $soft) };
    if (!defined $was) { my $error = $@; $restore->(); die $error }
    push @before, { pid => $pid, started => started($pid), soft => $was };
  }
  @before or die "the node has no process\n";
  return {
    tell => sub {
      my @now = grep { ($_->{started} // '') eq (started($_->{pid}) // 'gone') } @before;
      my $others = grep { (soft_limit($_->{pid}) // -1) != $soft } @now;
      my $standing = @now;
      qq("standing":$standing,"others":$others);
    },
    back => sub { '"back":"' . join(' ', map { join ':', $_->{pid}, $_->{started} // '', $_->{soft} } @before) . '"' },
    end => $restore,
  };
}

# Puts limits back that another one of us has set, and did not live to.
sub limits {
  my ($back) = @_;
  put_back(map { my %one; @one{qw(pid started soft)} = split /:/; \%one } split ' ', $back);
  return { tell => sub { '' }, end => sub { } };
}

# Those processes that are still the same.
sub put_back {
  my @failures;
  for my $one (@_) {
    next unless ($one->{started} // '') eq (started($one->{pid}) // 'gone');
    eval { limit_as_owner($one->{pid}, $one->{soft}); 1 } or push @failures, $@;
  }
  die $failures[0] if @failures;
}

# The kernel lets nobody but a process's own user (or who may do anything) change its limits: so a child becomes that user. Answers with the limit before.
sub limit_as_owner {
  my ($pid, $soft) = @_;
  my $status = slurp("/proc/$pid/status");
  my ($uid) = $status =~ /^Uid:\s+(\d+)/m or return $soft;
  my ($gid) = $status =~ /^Gid:\s+(\d+)/m;
  pipe my $from, my $to or die "pipe: $!\n";
  my $child = fork // die "it could not fork: $!\n";
  if ($child == 0) {
    my $said = eval {
      if ($gid != 0) { POSIX::setgid($gid) or die "setgid: $!\n" }
      if ($uid != 0) { POSIX::setuid($uid) or die "setuid: $!\n" }
      prlimit($pid, $soft);
    };
    my $error = $@;
    syswrite $to, defined $said ? $said : "! $error";
    POSIX::_exit(0);
  }
  close $to;
  my $said = join '', <$from>;
  waitpid $child, 0;
  $said =~ /^\d+$/ or die "process $pid keeps its limit: " . ($said =~ s/^! //r);
  return $said;
}

sub prlimit {
  my ($pid, $soft) = @_;
  my %NUMBERS = (x86_64 => 302, aarch64 => 261);
  my $machine = (POSIX::uname())[4];
  my $number = $NUMBERS{$machine} // die "this machine's ($machine) number of prlimit64 is not known\n";
  my $NOFILE = 7;
  my $before = pack 'QQ', 0, 0;
  # A null pointer is a plain number to perl; a buffer is passed by its address.
  syscall($number, $pid + 0, $NOFILE, 0, $before) == 0 or die "prlimit: $!\n";
  my ($was, $hard) = unpack 'QQ', $before;
  $soft <= $hard or die "the hard limit is $hard\n";
  my $wanted = pack 'QQ', $soft, $hard;
  syscall($number, $pid + 0, $NOFILE, $wanted, 0) == 0 or die "prlimit: $!\n";
  return $was;
}

# Grows until the kernel, out of memory for this container, ends a process: the node's first, which is made the most eligible of all. Never answers when that comes true. By several
# processes together, each of them small: what the kernel counts against one is its size and its eligibility.
sub memory {
  my ($mib) = @_;
  my $before = slurp('/proc/1/oom_score_adj');
  spill('/proc/1/oom_score_adj', 1000);
  my $parent = $$;
  my $WORKERS = 8;
  pipe my $from, my $to or die "pipe: $!\n";
  my @pids = map {
    my $pid = fork // die "it could not fork: $!\n";
    if ($pid == 0) {
      my @pages;
      for my $count (1 .. POSIX::ceil($mib / $WORKERS)) { push @pages, chr(97 + $count % 26) x (1 << 20) }
      syswrite $to, '.';
      Time::HiRes::sleep(0.05) while getppid() == $parent;
      POSIX::_exit(0);
    }
    $pid;
  } 1 .. $WORKERS;
  close $to;
  # Ends when each has either grown or been killed.
  my $grown = 0;
  while ($grown < $WORKERS && (my $count = sysread $from, my $dots, $WORKERS)) { $grown += $count }
  kill 'KILL', @pids;
  waitpid $_, 0 for @pids;
  spill('/proc/1/oom_score_adj', $before + 0);
  die $grown < $WORKERS ? "the kernel ended another process than the node's first\n" : "the node did not run out of memory with $mib MiB more\n";
}

# Those that descend from the first: whoever came in from outside has no parent here.
sub processes {
  my %parent;
  for my $folder (glob '/proc/[0-9]*') {
    my ($pid) = $folder =~ /(\d+)$/;
    my $stat = eval { slurp("$folder/stat") } // next;
    my ($parent) = $stat =~ /^.*\) \S (\d+)/s;
    $parent{$pid} = $parent;
  }
  return grep {
    my $at = $_;
    $at = $parent{$at} while $at && $at != 1;
    ($at // 0) == 1;
  } sort { $a <=> $b } keys %parent;
}

sub started {
  my $stat = eval { slurp("/proc/$_[0]/stat") } // return undef;
  my ($rest) = $stat =~ /^.*\) (.*)/s;
  return (split ' ', $rest)[19];
}

sub soft_limit {
  my $limits = eval { slurp("/proc/$_[0]/limits") } // return undef;
  return $limits =~ /^Max open files\s+(\d+)/m ? $1 : undef;
}

sub slurp {
  my ($path) = @_;
  open my $file, '<', $path or die "$path: $!\n";
  local $/;
  return scalar <$file>;
}

sub spill {
  my ($path, $text) = @_;
  open my $file, '>', $path or die "$path: $!\n";
  syswrite $file, $text or die "$path: $!\n";
  close $file;
}
