# A panel for each workload, and in it a bar for each server. The column share is the
# length of the bar, from 0 to 1.

height = 126 + 30 * rows
load "style.gnuplot"

set tmargin at screen 1 - 92.0 / height
set bmargin at screen 34.0 / height
set lmargin at screen 0.135
set rmargin at screen 1
set xrange [0:panels]
set yrange [rows + 0.6:0.4]
unset tics
unset grid

left(p) = p - 1
right(p, share) = left(p) + share * (1 - 0.104 * panels) # what is left is for the label
heading(clients, pipeline) = sprintf("{/:Bold %d client%s%s}", clients, clients == 1 ? "" : "s", \
  pipeline == 1 ? "" : sprintf(", pipeline of %d", pipeline))
plot picture.".csv" using (left(column("panel"))):"row":(left(column("panel"))):(right(column("panel"), column("share"))):(column("row") - 0.36):(column("row") + 0.36):"linetype" with boxxyerror linecolor variable, \
  "" using (right(column("panel"), column("share"))):"row":"label" with labels left offset 0.5,0 textcolor rgb grey, \
  "" using (column("panel") == 1 ? 0 : NaN):"row":"server" with labels right offset -1,0 textcolor rgb grey, \
  "" using (column("row") == 1 ? left(column("panel")) : NaN):(0.4):(heading(column("clients"), column("pipeline"))) with labels left offset 0,0.7 textcolor rgb grey
