# Writes one text of TinyStories: the sample as it is, then the part of the lower-cased file that goes on where the
# sample ends, with capitals again at the beginnings of sentences and in words that the sample writes with one.
use strict; use warnings; local $/;
my ($sample, $more) = map { open my $file, '<', $_ or die "$_: $!\n"; scalar <$file> } @ARGV;
my (%capital, %small);
while ($sample =~ /[a-z,;] ([A-Za-z][a-z]*)\b/g) { my $word = $1; $word =~ /^[A-Z]/ ? $capital{lc $word}++ : $small{$word}++ }
my $end = lc substr $sample, -60;
my $at = index $more, $end; die "the second text does not go on where the first ends\n" if $at < 0;
$more = substr $more, $at + 60;
$more =~ s/\n\n+/\n/g;
$more =~ s/(?<!['a-z])([a-z]+)\b/($capital{$1} || 0) > 2 * ($small{$1} || 0) ? ucfirst $1 : $1/ge;
$more =~ s/((?:^|[.!?]["']? +|[,:] "|[.!?]" ")["']?)([a-z])/$1\u$2/gm;
$more =~ s/\n(?=Once |One (?:day|night|morning|sunny|time))/\n<|endoftext|>\n/g;
print $more, "\n<|endoftext|>\n", $sample;
