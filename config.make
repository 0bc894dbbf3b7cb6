# Read by nginx's configure when it writes the Makefile: options for our objects only. nginx
# compiles
# every source with the same flags, C and C++ alike, and its own generated C would not pass
# with -std=c++17.

saml_objs=
for saml_src in $saml_srcs; do
    saml_dir=`basename \`dirname $saml_src\``
    saml_objs="$saml_objs $NGX_OBJS/addon/$saml_dir/`basename $saml_src .cpp`.o"
done

# nginx's own default is -O; whoever says otherwise with --with-cc-opt is left alone.
case " $NGX_CC_OPT" in
    *" -O"*) saml_opt= ;;
    *)       saml_opt=-O2 ;;
esac

saml_cxxflags="-std=gnu++17 $saml_opt -fvisibility=hidden"
saml_cxxflags="$saml_cxxflags -I $ngx_addon_dir/src -I $ngx_addon_dir/ngx_module"
saml_cxxflags="$saml_cxxflags `echo $saml_cflags | tr '\n' ' '` $SALLYPORT_CXXFLAGS"

cat << END >> $NGX_MAKEFILE

`echo $saml_objs`: CFLAGS += $saml_cxxflags

END
