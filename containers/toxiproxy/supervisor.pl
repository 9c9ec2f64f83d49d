# PID 1 of the links' container: runs Toxiproxy, and takes every fault off the links when the run that put them there is dead.
#
# Toxiproxy keeps a toxic for ever, and its run can be gone between two instructions. So a run that is about to disturb a link says `arm SECONDS` on our stdin and says it again
# every two seconds; after so many seconds of silence we ask Toxiproxy to reset itself, look whether it has, and end it when it has not: then the links are down, which anybody sees,
# and not slow, which nobody would. `disarm` is for links that were healed. Everybody who wrote to our stdin can go and another can come: it never ends.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ':sys_wait_h';
use Time::HiRes 'time';

# What a reset takes, s: milliseconds, or for ever when Toxiproxy holds answers for somebody who is gone.
my $PATIENCE = 1;
my $LOOK_EVERY = 0.25;

my $toxiproxy = fork() // die "fork: $!";
if (!$toxiproxy) { exec('/toxiproxy', @ARGV) or die "exec: $!" }
$SIG{TERM} = $SIG{INT} = sub { kill 'TERM', $toxiproxy };

my $stdin = IO::Select->new(\*STDIN);
my $heard = '';
my $expires;

while (1) {
  exit_as_it_did() if waitpid($toxiproxy, WNOHANG) == $toxiproxy;
  if ($stdin->count && $stdin->can_read($LOOK_EVERY)) {
    # Without a stdin (somebody starts the image by hand) there is nothing to listen to, and nothing to wait for.
    if (sysread(STDIN, $heard, 4096, length $heard)) { obey($1) while $heard =~ s/^([^\n]*)\n// }
    else { $stdin->remove(\*STDIN) }
  } elsif (!$stdin->count) {
    select(undef, undef, undef, $LOOK_EVERY);
  }
  next if !defined $expires || time < $expires;
  undef $expires;
  print STDERR "the run that disturbed these links is silent; resetting them\n";
  next if is_reset();
  print STDERR "Toxiproxy did not reset its links; ending it\n";
  kill 'KILL', $toxiproxy;
}

sub obey {
  my ($word) = @_;
  if ($word =~ /^arm (\d+(?:\.\d+)?)$/) { $expires = time + $1 }
  elsif ($word eq 'disarm') { undef $expires }
  else { print STDERR "unknown word '$word'; known: arm SECONDS, disarm\n" }
}

sub is_reset {
  ask('POST', '/reset') // return 0;
  my $proxies = ask('GET', '/proxies') // return 0;
  return $proxies !~ /"toxics":\[\{/ && $proxies !~ /"enabled":false/;
}

# The body of Toxiproxy's answer; undefined when there is none in time.
sub ask {
  my ($method, $path) = @_;
  my $answer = eval {
    local $SIG{ALRM} = sub { die "silent\n" };
    alarm $PATIENCE;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 8474, Timeout => $PATIENCE) or die "$!\n";
    print $socket "$method $path HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
    my $text = join '', <$socket>;
    alarm 0;
    $text;
  };
  alarm 0;
  return defined $answer && $answer =~ m{^HTTP/\S+ 2\d\d .*?\r\n\r\n(.*)}s ? $1 : undef;
}

sub exit_as_it_did {
  exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
}
