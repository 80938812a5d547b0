# What all pictures have in common. A picture loads this when its name (picture), height,
# title, note and caption are set.
#
# plot.sh runs gnuplot in a folder with these files and those of "table plot": for each
# picture NAME.csv and, with what is but one value, NAME.vars.

set terminal svg size 850,height font "Helvetica,Arial,sans-serif,14" linewidth 1.2 name picture
set output picture.".svg"
set datafile separator comma

# The column linetype in the CSV files is one of these. The colours can be told apart by
# those who see red and green alike; they, and the grey, can be read on white and on black.
set linetype 1 linecolor rgb "#b58900" # stblock
set linetype 2 linecolor rgb "#d55e00" # mtblock
set linetype 3 linecolor rgb "#2b87d1" # goroutinesrv
set linetype 4 linecolor rgb "#c264a0" # busywait
set linetype 5 linecolor rgb "#009e73" # epollsrv
set linetype 6 linecolor rgb "#7a6be0" # kqueuesrv
set linetype 7 linecolor rgb "#8c8c8c" dashtype 2 # redis-server
grey = "#7b7b7b" # of the text

set border 0
set tics scale 0 textcolor rgb grey
set grid linecolor rgb grey linewidth 0.4 dashtype (2,4)
set key off
set style fill solid noborder
set label 1 "{/:Bold=17 ".title."}" at screen 0.012, screen 1 offset 0,-1.2 textcolor rgb grey
set label 2 note at screen 0.012, screen 1 offset 0,-2.3 textcolor rgb grey
set label 3 caption at screen 0.012, screen 0 offset 0,0.8 noenhanced font ",11" textcolor rgb grey
