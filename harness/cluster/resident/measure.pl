# Measures inside a node what it can have of its machine, and ends. A line of JSON on stdout for each measurement.
#
#   measure.pl cpu WORKERS MS    what processes that want to run all the time, gently, make the node's group of processes use
#   measure.pl burners LOOKS     what the burners that are there (see hold.pl) do
#   measure.pl memory MIB        takes memory, piece by piece, until the node has so much or a process of ours is killed
#   measure.pl disk PATH         the room there, and whether a write succeeds
#   measure.pl descriptors       limits and descriptors of all processes under the node's first
#   measure.pl device            the disk that the engine keeps this container on
#   measure.pl throttle ID       whether a limit of 1 MB/s in the control group of container ID, itself, slows its writes
#   measure.pl write PATH BYTES  how long it takes to write so much to a disk, for good
#
# Nothing but perl-base is needed, which every Debian has.
use strict;
use warnings;
use POSIX ();
use Time::HiRes ();

my $LIMIT_S = 30;
alarm $LIMIT_S;
$| = 1;
my ($what, @with) = @ARGV;
my %measures = (cpu => \&cpu, burners => \&burners, memory => \&memory, disk => \&disk, descriptors => \&descriptors, device => \&device, throttle => \&throttle, write => \&write_out);
eval { $measures{$what}->(@with); 1 } or do {
  my $error = $@;
  $error =~ s/ at -e line.*//s;
  $error =~ s/[^ -~]|["\\]/ /g;
  print qq({"error":"$error"}\n);
};
exit 0;

sub cpu {
  my ($workers, $ms) = @_;
  my @before = (Time::HiRes::time(), counters());
  my $end = $before[0] + $ms / 1000;
  my @pids = map {
    my $pid = fork // die "it could not fork: $!\n";
    if ($pid == 0) {
      # Whatever the node itself wants to do comes first.
      setpriority 0, 0, 19;
      1 while Time::HiRes::time() < $end;
      POSIX::_exit(0);
    }
    $pid;
  } 1 .. $workers;
  waitpid $_, 0 for @pids;
  my @after = (Time::HiRes::time(), counters());
  my ($wall_us, $used_us, $periods, $throttled) = map { int($after[$_] * ($_ ? 1 : 1e6) - $before[$_] * ($_ ? 1 : 1e6)) } 0 .. 3;
  print qq({"wallUs":$wall_us,"usedUs":$used_us,"periods":$periods,"throttled":$throttled}\n);
}

# Microseconds that this group of processes has run, periods of its quota, and those in which it had used it up. Version 2 of control groups has them in one file.
sub counters {
  my $v1 = eval { slurp('/sys/fs/cgroup/cpuacct/cpuacct.usage') };
  my $stat = slurp(defined $v1 ? '/sys/fs/cgroup/cpu/cpu.stat' : '/sys/fs/cgroup/cpu.stat');
  my %of = $stat =~ /^(\w+) (\d+)$/mg;
  my $used_us = defined $v1 ? $v1 / 1000 : ($of{usage_usec} // die "the kernel does not tell what this group has used\n");
  return ($used_us, $of{nr_periods} // 0, $of{nr_throttled} // 0);
}

# Looks at them again and again, at uneven times: one that always wants to run is running or ready to run at every look, however long it has to wait for its turn.
sub burners {
  my ($looks) = @_;
  my $began = Time::HiRes::time();
  my (%first, %last, %ready);
  for my $look (1 .. $looks) {
    %last = ();
    for my $path (glob '/proc/[0-9]*/stat') {
      # One whose parent was killed may be left as a name (Z) that the node's first process does not take care of: that burns nothing.
      my ($pid, $state, $rest) = (eval { slurp($path) } // '') =~ /^(\d+) \(aftershock-burn\) ([^Z]) (.*)/s or next;
      my ($user, $system) = (split ' ', $rest)[10, 11];
      $last{$pid} = $user + $system;
      $first{$pid} //= $last{$pid};
      $ready{$pid}++ if $state eq 'R';
    }
    Time::HiRes::sleep(0.004 + rand 0.008) if $look < $looks;
  }
  my $wall_us = int((Time::HiRes::time() - $began) * 1e6);
  my $tick_us = 1e6 / POSIX::sysconf(POSIX::_SC_CLK_TCK());
  my @told = map { sprintf '{"ready":%d,"ranUs":%d}', $ready{$_} // 0, ($last{$_} - $first{$_}) * $tick_us } sort keys %last;
  print qq({"wallUs":$wall_us,"looks":$looks,"burners":[) . join(',', @told) . "]}\n";
}

# A process that takes memory until the whole group has so much, and that is the first to go when there is none: everything else in the node is dearer. What it saw last, and what became of it.
sub memory {
  my ($mib) = @_;
  my $before = oom_kills();
  pipe my $from, my $to or die "pipe: $!\n";
  my $pid = fork // die "it could not fork: $!\n";
  if ($pid == 0) {
    open my $score, '>', '/proc/self/oom_score_adj' or POSIX::_exit(1);
    syswrite $score, '1000' or POSIX::_exit(1);
    my @pieces;
    for my $count (1 .. $mib * 4) {
      # Said before the piece that may be the last.
      my @now = memory_now();
      syswrite $to, "@now\n";
      last if $now[0] >= $mib * (1 << 20);
      push @pieces, chr($count % 256) x (1 << 18);
    }
    POSIX::_exit(0);
  }
  close $to;
  my ($used, $limit) = (0, 0);
  while (<$from>) { ($used, $limit) = split ' ' }
  waitpid $pid, 0;
  my ($signal, $code) = ($? & 127, $? >> 8);
  die "it could not make itself the first to go\n" if $code;
  my $kills = oom_kills() - $before;
  print qq({"usedBytes":$used,"limitBytes":$limit,"signal":$signal,"oomKills":$kills}\n);
}

sub oom_kills {
  my $v1 = '/sys/fs/cgroup/memory/memory.oom_control';
  my $told = slurp(-e $v1 ? $v1 : '/sys/fs/cgroup/memory.events');
  return $told =~ /^oom_kill (\d+)/m ? $1 : die "the kernel does not count whom it ended for want of memory\n";
}

sub memory_now {
  my $v1 = '/sys/fs/cgroup/memory';
  my ($used, $limit) = map { s/\s+//gr } -e "$v1/memory.usage_in_bytes"
    ? (slurp("$v1/memory.usage_in_bytes"), slurp("$v1/memory.limit_in_bytes"))
    : (slurp('/sys/fs/cgroup/memory.current'), slurp('/sys/fs/cgroup/memory.max'));
  return ($used, $limit =~ /^\d+$/ ? $limit : -1);
}

sub disk {
  my ($path) = @_;
  my %STATFS = (x86_64 => 137, aarch64 => 43);
  my $machine = (POSIX::uname())[4];
  my $number = $STATFS{$machine} // die "this machine's ($machine) number of statfs is not known\n";
  my $buffer = "\0" x 256;
  syscall($number, $path, $buffer) == 0 or die "$path: $!\n";
  my (undef, $block, $blocks, $free) = unpack 'q q Q Q', $buffer;
  my ($size_bytes, $free_bytes) = ($blocks * $block, $free * $block);
  my $name = "$path/.aftershock-probe-$$";
  my $said = 'written';
  if (!open my $file, '>', $name) { $said = word($!) }
  elsif (!defined syswrite $file, 'x' x 4096) { $said = word($!) }
  unlink $name;
  print qq({"sizeBytes":$size_bytes,"freeBytes":$free_bytes,"write":"$said"}\n);
}

sub word {
  return $!{ENOSPC} ? 'ENOSPC' : $!{EDQUOT} ? 'EDQUOT' : "$!";
}

# A limit is on their numbers: those that are numbered from it on were opened before it was set, and take nothing of it.
sub descriptors {
  my ($limit) = @_;
  my %parent;
  for my $folder (glob '/proc/[0-9]*') {
    my ($pid) = $folder =~ /(\d+)$/;
    my $stat = eval { slurp("$folder/stat") } // next;
    ($parent{$pid}) = $stat =~ /^.*\) \S (\d+)/s;
  }
  my @told;
  for my $pid (sort { $a <=> $b } keys %parent) {
    my $at = $pid;
    $at = $parent{$at} while $at && $at != 1;
    next unless ($at // 0) == 1;
    my $limits = eval { slurp("/proc/$pid/limits") } // next;
    my ($soft) = $limits =~ /^Max open files\s+(\d+)/m or next;
    opendir my $folder, "/proc/$pid/fd" or die "the descriptors of process $pid are not told: $!\n";
    my @open = grep { /^\d+$/ } readdir $folder;
    my $beyond = defined $limit ? grep { $_ >= $limit } @open : 0;
    push @told, sprintf '{"pid":%d,"soft":%d,"open":%d,"beyond":%d}', $pid, $soft, scalar @open, $beyond;
  }
  print '{"processes":[' . join(',', @told) . "]}\n";
}

# Of the files that the engine lays in, the first: 'major:minor' is the third field.
sub device {
  my $device = device_below();
  print qq({"device":"$device"}\n);
}

sub device_below {
  my ($line) = grep { (split ' ')[4] =~ m{^/etc/(hostname|hosts|resolv\.conf)$} } split /\n/, slurp('/proc/self/mountinfo');
  return defined $line ? (split ' ', $line)[2] : 'unknown';
}

# The engine's control groups are laid in at /cgroup.
sub throttle {
  my ($id) = @_;
  my $device = device_below();
  if (-e "/sys/dev/block/$device/partition") { ($device) = slurp("/sys/dev/block/$device/../dev") =~ /(\S+)/ }
  my @names = map { '/*' x $_ . "/*$id*" } 0 .. 4;
  my ($old) = grep { -e } map { "$_/blkio.throttle.write_bps_device" } map { glob "/cgroup/blkio$_" } @names;
  my ($new) = grep { -e } map { "$_/io.max" } map { glob "/cgroup$_" } @names;
  my $file = $old // $new // die "its control group has neither io.max nor blkio.throttle\n";
  spill($file, defined $old ? "$device 1000000" : "$device wbps=1000000");
  write_out('/', 300_000);
}

sub spill {
  my ($path, $text) = @_;
  open my $file, '>', $path or die "$path: $!\n";
  syswrite $file, $text or die "$path: $!\n";
  close $file;
}

sub write_out {
  my ($path, $bytes) = @_;
  my $name = "$path/.aftershock-probe-$$";
  open my $file, '>', $name or die "$name: $!\n";
  unlink $name;
  my $zeros = 'x' x 65536;
  my $began = Time::HiRes::time();
  for (my $left = $bytes; $left > 0;) {
    my $written = syswrite $file, $zeros, $left < 65536 ? $left : 65536;
    defined $written or die "it could not write there: $!\n";
    $left -= $written;
  }
  # Until then it is only in memory, which no limit is on.
  require IO::Handle;
  $file->sync or die "it could not write to the disk: $!\n";
  my $wall_us = int((Time::HiRes::time() - $began) * 1e6);
  print qq({"bytes":$bytes,"wallUs":$wall_us}\n);
}

sub slurp {
  my ($path) = @_;
  open my $file, '<', $path or die "$path: $!\n";
  local $/;
  return scalar <$file>;
}
